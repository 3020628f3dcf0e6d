"""A program that answers every GET with JSON, and starts as fast as Python can: `-I -S`."""

import signal
import socket
import sys

ANSWER = b'{"result":{},"error":null}'


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(ANSWER)}\r\nConnection: close\r\n"
                connection.sendall(head.encode() + b"\r\n" + ANSWER)


if __name__ == "__main__":
    main()
