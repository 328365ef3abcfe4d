module example.test/layouts

go 1.19
