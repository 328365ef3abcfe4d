"""Listening sockets are told from all others in the text of /proc/PID/net."""

from __future__ import annotations

from memtui.parse.process.sockets import (
    TcpListener,
    UnixListener,
    parse_tcp_listeners,
    parse_unix_listeners,
)

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:17AC 00000000:0000 0A 0:0 00:0 0     0        0 41829 1 00
   1: 00000000:0016 00000000:0000 0A 0:0 00:0 0     0        0 17 1 00
   2: 0100007F:17AC 0100007F:D2A4 01 0:0 00:0 0     0        0 41830 1 00
   3: 0501A8C0:1F90 00000000:0000 0A 0:0 00:0 0  1000        0 99 1 00
"""
TCP6 = """\
  sl  local_address        remote_address           st tx_queue rx_queue
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0 0A 0:0 0:0 0 0 0 7 1
   1: 00000000000000000000000001000000:17AC 00000000000000000000000000000000:0 0A 0:0 0:0 0 0 0 8 1
   2: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0 0A 0:0 0:0 0 0 0 9 1
   3: B80D0120000000000000000001000000:01BB 00000000000000000000000000000000:0 0A 0:0 0:0 0 0 0 6 1
"""
UNIX = """\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 20041 /run/my service.sock
0000000000000000: 00000003 00000000 00000000 0001 03 20042 /run/my service.sock
0000000000000000: 00000002 00000000 00010000 0001 01 20043 @/containerd-shim/a
0000000000000000: 00000002 00000000 00000000 0002 01 20044 /run/systemd/notify
0000000000000000: 00000002 00000000 00010000 0005 01 20045 /run/udev/control
0000000000000000: 00000002 00000000 00010000 0001 01 20046
"""


def test_only_sockets_in_the_state_listen_are_returned() -> None:
    assert parse_tcp_listeners(TCP, byte_order="little") == [
        TcpListener("127.0.0.1", 6060, 41829),
        TcpListener("0.0.0.0", 22, 17),
        TcpListener("192.168.1.5", 8080, 99),
    ]


def test_ipv6_addresses_are_read_word_by_word_and_mapped_ones_are_ipv4() -> None:
    assert parse_tcp_listeners(TCP6, byte_order="little") == [
        TcpListener("::", 8080, 7),
        TcpListener("::1", 6060, 8),
        TcpListener("127.0.0.1", 80, 9),
        TcpListener("2001:db8::1", 443, 6),
    ]


def test_a_big_endian_machine_prints_the_same_addresses_the_other_way_round() -> None:
    text = TCP.replace("0100007F", "7F000001")
    assert parse_tcp_listeners(text, byte_order="big")[0].host == "127.0.0.1"


def test_a_listener_says_how_near_it_is() -> None:
    hosts = ("127.0.0.1", "127.8.9.1", "::1", "0.0.0.0", "::", "10.0.0.1", "fe80::1")
    listeners = [TcpListener(host, 80, 1) for host in hosts]
    assert [one.is_loopback for one in listeners] == [True] * 3 + [False] * 4
    assert [one.is_wildcard for one in listeners] == [False] * 3 + [True] * 2 + [False] * 2


def test_addresses_are_written_as_people_write_them() -> None:
    shown = [str(TcpListener(host, 80, 1)) for host in ("127.0.0.1", "::1", "0.0.0.0", "::")]
    assert shown == ["127.0.0.1:80", "[::1]:80", ":80", ":80"]
    assert str(UnixListener("@x", 1)) == "unix:@x"


def test_only_named_stream_sockets_that_accept_are_returned() -> None:
    found = parse_unix_listeners(UNIX)
    assert found == [
        UnixListener("/run/my service.sock", 20041),
        UnixListener("@/containerd-shim/a", 20043),
    ]
    assert [one.is_abstract for one in found] == [False, True]


def test_lines_that_are_not_understood_are_left_out() -> None:
    broken = TCP.replace("0100007F:17AC 00000000:0000 0A", "01007F:17AC 00000000:0000 0A")
    broken = broken.replace("00000000:0016", "00000000:-xyz") + "   9: cut off"
    assert parse_tcp_listeners(broken, byte_order="little") == [
        TcpListener("192.168.1.5", 8080, 99)
    ]
    assert parse_tcp_listeners("") == []
    assert parse_unix_listeners(UNIX.replace("00010000", "no number")) == []
