"""paramiko as a client; its arguments are those of test/ssh/clients/program.ts."""

import os
import socket
import sys
import threading

import paramiko

CHUNK = 32768


def connect(host, port, user, key, known):
    hosts = paramiko.HostKeys(known)
    transport = paramiko.Transport((host, port))
    transport.start_client(timeout=30)
    if not hosts.check("[%s]:%d" % (host, port), transport.get_remote_server_key()):
        raise paramiko.SSHException("the host key is another one")
    if key == "-":
        transport.auth_none(user)
    else:
        transport.auth_publickey(user, paramiko.Ed25519Key.from_private_key_file(key))
    return transport


def feed(channel):
    """Standard input to the channel, then its end."""
    while True:
        data = os.read(0, CHUNK)
        if not data:
            break
        channel.sendall(data)
    channel.shutdown_write()


def drain(read, fd):
    while True:
        data = read(CHUNK)
        if not data:
            return
        while data:
            data = data[os.write(fd, data):]


def interact(channel):
    """Joins the channel with the standard streams. Returns the exit status."""
    threading.Thread(target=feed, args=(channel,), daemon=True).start()
    errors = threading.Thread(target=drain, args=(channel.recv_stderr, 2))
    errors.start()
    drain(channel.recv, 1)
    errors.join()
    return channel.recv_exit_status()


def copy(read, write, end):
    try:
        while True:
            data = read(CHUNK)
            if not data:
                break
            write(data)
        end()
    except (OSError, EOFError):
        pass


def splice(channel, sock):
    back = threading.Thread(
        target=copy,
        args=(channel.recv, sock.sendall, lambda: sock.shutdown(socket.SHUT_WR)),
        daemon=True,
    )
    back.start()
    copy(sock.recv, channel.sendall, channel.shutdown_write)
    back.join()
    sock.close()
    channel.close()


def local(transport, listen, target):
    server = socket.create_server(("127.0.0.1", listen))
    while True:
        sock, origin = server.accept()
        channel = transport.open_channel("direct-tcpip", ("127.0.0.1", target), origin)
        threading.Thread(target=splice, args=(channel, sock), daemon=True).start()


def remote(transport, listen, target):
    def accepted(channel, _origin, _server):
        sock = socket.create_connection(("127.0.0.1", target))
        threading.Thread(target=splice, args=(channel, sock), daemon=True).start()

    transport.request_port_forward("127.0.0.1", listen, accepted)
    threading.Event().wait()


def sftp(transport, put_from, put_to, get_from, get_to, folder):
    with paramiko.SFTPClient.from_transport(transport) as client:
        client.put(put_from, put_to)
        client.get(get_from, get_to)
        print("\n".join(client.listdir(folder)))


def main():
    host, port, user, key, known, mode, *args = sys.argv[1:]
    transport = connect(host, int(port), user, key, known)
    status = 0
    if mode == "exec":
        channel = transport.open_session()
        channel.exec_command(args[0])
        status = interact(channel)
    elif mode == "shell":
        channel = transport.open_session()
        channel.get_pty("xterm", width=int(args[1]), height=int(args[0]))
        channel.invoke_shell()
        status = interact(channel)
    elif mode == "local":
        local(transport, int(args[0]), int(args[1]))
    elif mode == "remote":
        remote(transport, int(args[0]), int(args[1]))
    elif mode == "sftp":
        sftp(transport, *args)
    transport.close()
    return status


if __name__ == "__main__":
    try:
        result = main()
    except Exception as error:  # whatever it is, the suite shows it
        print("%s: %s" % (type(error).__name__, error), file=sys.stderr)
        result = 254
    sys.stdout.flush()
    # A thread that still waits for standard input must not hold the end.
    os._exit(result)
