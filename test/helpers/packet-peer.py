"""The other end of a socket of packets: listens at argv[1] and does what the lines of stdin say, once somebody has connected.
send HEX, close, abort (leaves what came unread), read N, drain (reads to the end): what was read is printed in hex."""
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(sys.argv[1])
listener.listen(1)
print("listening", flush=True)
peer, _ = listener.accept()
for line in sys.stdin:
    word, *rest = line.split()
    if word == "send":
        for packet in rest:
            peer.send(bytes.fromhex(packet))
    elif word == "flood":
        for at in range(int(rest[0])):
            peer.send(b"\x02" + bytes([at % 256]) * 8192)
    elif word == "read":
        print(peer.recv(65536).hex(), flush=True)
    elif word == "drain":
        total = 0
        while data := peer.recv(65536):
            total += len(data)
            largest = len(data)
        print(total, flush=True)
    elif word == "close":
        peer.close()
