"""HTTP to the watched service: requests, credentials, endpoints, cost."""
