"""asyncssh as a client; its arguments are those of test/ssh/clients/program.ts."""

import asyncio
import os
import sys

import asyncssh

CHUNK = 32768


async def feed(writer):
    """Standard input to the process, then its end. In a thread, as it may be a file."""
    loop = asyncio.get_running_loop()
    while True:
        data = await loop.run_in_executor(None, os.read, 0, CHUNK)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def drain(reader, fd):
    while True:
        data = await reader.read(CHUNK)
        if not data:
            return
        while data:
            data = data[os.write(fd, data):]


async def interact(process):
    """Joins the process with the standard streams. Returns the exit status."""
    feeding = asyncio.ensure_future(feed(process.stdin))
    await asyncio.gather(drain(process.stdout, 1), drain(process.stderr, 2))
    await process.wait_closed()
    feeding.cancel()
    return process.exit_status


async def sftp(connection, put_from, put_to, get_from, get_to, folder):
    async with connection.start_sftp_client() as client:
        await client.put(put_from, put_to)
        await client.get(get_from, get_to)
        print("\n".join(await client.listdir(folder)))


async def main():
    host, port, user, key, known, mode, *args = sys.argv[1:]
    keys = [] if key == "-" else [key]
    status = 0
    async with asyncssh.connect(
        host, int(port), username=user, client_keys=keys, known_hosts=known, config=[]
    ) as connection:
        if mode == "exec":
            process = await connection.create_process(args[0], encoding=None)
            status = await interact(process)
        elif mode == "shell":
            size = (int(args[1]), int(args[0]))
            process = await connection.create_process(
                term_type="xterm", term_size=size, encoding=None
            )
            status = await interact(process)
        elif mode == "local":
            await connection.forward_local_port("127.0.0.1", int(args[0]), "127.0.0.1", int(args[1]))
            await connection.wait_closed()
        elif mode == "remote":
            await connection.forward_remote_port(
                "127.0.0.1", int(args[0]), "127.0.0.1", int(args[1])
            )
            await connection.wait_closed()
        elif mode == "sftp":
            await sftp(connection, *args)
    return status


if __name__ == "__main__":
    try:
        # Not `asyncio.run`, whose end waits for the thread that reads standard input.
        result = asyncio.new_event_loop().run_until_complete(main())
    except Exception as error:  # whatever it is, the suite shows it
        print("%s: %s" % (type(error).__name__, error), file=sys.stderr)
        result = 254
    sys.stdout.flush()
    os._exit(result)
