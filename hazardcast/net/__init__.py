"""Plain sockets and addresses: hosts, ports, multicast."""
