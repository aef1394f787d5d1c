# Runs a program on a terminal of its own and types into it what standard input says, as JSON: {"argv", "steps": [{"wait": text,
# "type": text} or {"wait": text, "signal": number}], "stdin": "terminal" or "null"}. Prints {"output", "code", "echo"}: what the
# terminal showed, and whether it shows what is typed when the program has ended.

import fcntl, json, os, select, sys, termios, time

order = json.load(sys.stdin)
# This end stays open: the terminal outlives the program, so that its state can be asked for.
fd, terminal = os.openpty()
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    source = os.open("/dev/null", os.O_RDONLY) if order["stdin"] == "null" else terminal
    for place, file in enumerate([source, terminal, terminal]):
        os.dup2(file, place)
    os.execvpe(order["argv"][0], order["argv"], os.environ)

output = b""
deadline = time.monotonic() + 30


def read(seconds):
    global output
    ready, _, _ = select.select([fd], [], [], seconds)
    if ready:
        output += os.read(fd, 65536)
    return bool(ready)


seen = 0
for step in order["steps"]:
    wanted = step["wait"].encode()
    while wanted not in output[seen:] and time.monotonic() < deadline:
        read(0.05)
    seen = output.index(wanted, seen) + len(wanted) if wanted in output[seen:] else seen
    if "signal" in step:
        os.kill(pid, step["signal"])
    else:
        os.write(fd, step["type"].encode())

while True:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended == pid:
        break
    if time.monotonic() > deadline:
        os.kill(pid, 9)
    read(0.05)
while read(0.05):
    pass
echo = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
print(json.dumps({"output": output.decode("utf-8", "replace"), "code": code, "echo": echo}))
