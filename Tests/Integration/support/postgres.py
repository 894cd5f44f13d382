"""A PostgreSQL server for tests: on a free port of 127.0.0.1, its data in a folder that the test gives.

    with harness.folder() as path, postgres.server(path) as server:
        tocsin("run", environment=server.environment())
        server.kill()
        server.start()
        server.query("SELECT count(*) FROM sensor_events")
"""

import contextlib
import glob
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from support.harness import Skip

USER = "tocsin"


def programs():
    """The folder of the newest server's programs; skips the check where there is none."""
    folders = glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin")
    folders = [folder for folder in folders if os.access(folder + "/initdb", os.X_OK)]
    if not folders:
        raise Skip("no PostgreSQL server is installed (Debian: postgresql)")
    return max(folders, key=lambda folder: int("".join(filter(str.isdigit, folder.split("/bin")[0][-3:])) or 0))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One server. `start` and `stop` may be called again and again; its data stays until the folder goes."""

    def __init__(self, folder, settings=None, password=None):
        self.programs = programs()
        self.folder = pathlib.Path(folder) / "postgres"
        self.data = self.folder / "data"
        self.port = free_port()
        self.password = password
        self.settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": str(self.folder),
            "shared_buffers": "128MB", "max_wal_size": "2GB", **(settings or {}),
        }
        self.folder.mkdir(parents=True)
        if os.getuid() == 0:
            # The server refuses to run as root, and must reach its folder.
            pathlib.Path(folder).chmod(0o755)
            shutil.chown(self.folder, "postgres")
        arguments = ["-D", str(self.data), "-U", USER, "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run(["initdb", *arguments, "--auth=trust"])
        self.configure()

    # MARK: Life

    def configure(self, **settings):
        """Writes the settings, also new ones; they count from the next start or `reload` on."""
        self.settings.update(settings)
        lines = [f"{name} = '{value}'" for name, value in self.settings.items()]
        self._write("postgresql.auto.conf", lines)

    def access(self, *lines):
        """Replaces the rules for logins (pg_hba.conf) and makes a running server read them."""
        self._write("pg_hba.conf", lines)
        self.reload()

    def refuse_logins(self):
        """As while a password is being changed; open connections stay, others are turned away."""
        self.access("local all all trust", "host all all all reject")

    def accept_logins(self):
        self.access("local all all trust", "host all all all trust")

    def start(self):
        self._control("-l", str(self.folder / "log"), "-t", "60", "start")
        return self

    def stop(self, mode="fast"):
        """`fast` ends connections in an orderly way, `immediate` as a crash would."""
        if self.is_running:
            self._control("-m", mode, "stop")

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def reload(self):
        if self.is_running:
            self._control("reload")

    def kill(self):
        """SIGKILL to the server and all of its processes: a crash of the machine, as far as it can be had."""
        process = self.process_id
        if process is None:
            return
        children = self._children(process)
        for each in [process, *children]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while any(map(self._is_alive, [process, *children])) and time.monotonic() < deadline:
            time.sleep(0.02)
        # Left behind, they name a process that the server would look for in vain, or find as a zombie.
        for left in [self.data / "postmaster.pid", self.folder / f".s.PGSQL.{self.port}.lock"]:
            left.unlink(missing_ok=True)

    def pause(self):
        """SIGSTOP: connections stay open, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    @property
    def process_id(self):
        try:
            return int((self.data / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None

    @property
    def is_running(self):
        return self.process_id is not None and self._is_alive(self.process_id)

    # MARK: Use

    @property
    def url(self):
        login = f"{USER}:{self.password}" if self.password else USER
        return f"postgresql://{login}@127.0.0.1:{self.port}/postgres"

    def environment(self):
        """What makes the program use this server."""
        variables = {
            "PG_HOST": "127.0.0.1", "PG_PORT": str(self.port), "PG_DB": "postgres", "PG_USER": USER,
        }
        return variables | ({"PG_PASSWORD": self.password} if self.password else {})

    def query(self, sql):
        """The rows of a query, each a list of texts; NULL is ''. Goes through the Unix socket, past `refuse_logins`."""
        done = subprocess.run(
            [self.programs + "/psql", "-h", str(self.folder), "-p", str(self.port), "-U", USER, "-d", "postgres",
             "-X", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-c", sql],
            capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise AssertionError(f"psql: {done.stderr.strip()}")
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def value(self, sql):
        return self.query(sql)[0][0]

    @contextlib.contextmanager
    def locked(self, table, mode="ACCESS EXCLUSIVE"):
        """Holds a lock as long as the body runs, as a person at a shell might."""
        shell = subprocess.Popen(
            [self.programs + "/psql", "-h", str(self.folder), "-p", str(self.port), "-U", USER, "-d", "postgres",
             "-X", "-q", "-A", "-t"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            shell.stdin.write(f"BEGIN; LOCK TABLE {table} IN {mode} MODE; SELECT 'held';\n")
            shell.stdin.flush()
            if shell.stdout.readline().strip() != "held":
                raise AssertionError(f"the lock on {table} was not granted")
            yield
        finally:
            with contextlib.suppress(BrokenPipeError):
                shell.stdin.write("COMMIT;\n")
                shell.stdin.close()
            shell.wait(timeout=30)

    @property
    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    # MARK: Parts

    def _write(self, name, lines):
        path = self.data / name
        path.write_text("\n".join(lines) + "\n")
        if os.getuid() == 0:
            shutil.chown(path, "postgres")
        path.chmod(0o600)

    def _run(self, command):
        command = [self.programs + "/" + command[0], *command[1:]]
        if os.getuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120)
        if done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")

    def _control(self, *arguments):
        self._run(["pg_ctl", "-s", "-w", "-D", str(self.data), *arguments])

    def _signal(self, number):
        process = self.process_id
        if process is not None:
            for each in [process, *self._children(process)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, number)

    @staticmethod
    def _children(process):
        done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True)
        return [int(word) for word in done.stdout.split()]

    @staticmethod
    def _is_alive(process):
        try:
            with open(f"/proc/{process}/stat") as file:
                # A process that nobody has waited for yet is dead all the same.
                return file.read().rsplit(")", 1)[1].split()[0] != "Z"
        except FileNotFoundError:
            return False


@contextlib.contextmanager
def server(folder, settings=None):
    """A running server, stopped at the end."""
    running = Server(folder, settings).start()
    try:
        yield running
    finally:
        running.resume()
        running.stop("immediate")
