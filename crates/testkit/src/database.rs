//! Throw-away databases: a file for SQLite, a database of a private server for PostgreSQL.
//!
//! The server runs from local binaries, in a temporary folder, on a Unix socket only. One serves
//! all tests of a process, each with a database of its own. A shell stands guard over it: when the
//! process ends, in whichever way, the pipe that the shell reads from breaks, upon which it stops
//! the server and removes the folder. This file knows no SQL but `CREATE DATABASE`.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// User and group "nobody": PostgreSQL refuses to run as root.
const NOBODY: u32 = 65534;

/// Run by `sh -c` with the folder as `$0` and that of the binaries as `$1`. A default collation
/// that is not bytewise makes a column that lacks `COLLATE "C"` show itself.
const GUARD: &str = r#"
cd "$0" || exit 1
trap '' INT HUP TERM
"$1/initdb" --pgdata=data --username=strongroom --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --locale-provider=icu --icu-locale=en --no-sync --no-instructions > log 2>&1 &&
"$1/pg_ctl" --pgdata=data --wait --silent --log=log start -o "-k '$0' -c listen_addresses='' \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400 \
    -c shared_buffers=32MB" >> log 2>&1 < /dev/null &&
echo ready
read -r _
"$1/pg_ctl" --pgdata=data --wait --silent --mode=immediate stop >> log 2>&1
cd / && rm -rf "$0"
"#;

/// An empty database that goes away with this value, or with the process.
#[derive(Debug)]
pub struct Database {
    url: String,
    // Holds SQLite's files; PostgreSQL's go with the server.
    _folder: Option<TempDir>,
}

impl Database {
    /// A file that does not exist yet, in a folder of its own.
    ///
    /// # Panics
    /// If no temporary folder can be made.
    pub fn sqlite() -> Self {
        let folder = TempDir::new().expect("the temporary folder is writable");
        let file = folder.path().join("catalog.db");
        Self { url: format!("sqlite://{}", file.display()), _folder: Some(folder) }
    }

    /// A fresh database of this process's PostgreSQL server, which is started if need be.
    ///
    /// # Panics
    /// If PostgreSQL is not installed, or does not start; the message says what to do.
    pub fn postgres() -> Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Server::start).create()
    }

    /// Where it is, for a program that connects.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A running server. It lives in a static, which is never dropped: its guard ends it.
#[derive(Debug)]
struct Server {
    binaries: PathBuf,
    folder: PathBuf,
    databases: AtomicU32,
    // Owns the pipe whose end tells the guard to stop the server.
    _guard: Child,
}

impl Server {
    fn start() -> Self {
        let binaries = find_binaries();
        // The guard removes the folder, so that it goes even if this process is killed.
        let folder = TempDir::new().expect("the temporary folder is writable").keep();
        let mut command = Command::new("sh");
        command
            .args(["-c", GUARD])
            .arg(&folder)
            .arg(&binaries)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Away from an interrupt at the terminal, which should reach the tests alone.
            .process_group(0);
        let made = std::fs::metadata(&folder).expect("the folder was just made");
        if made.uid() == 0 {
            std::os::unix::fs::chown(&folder, Some(NOBODY), Some(NOBODY))
                .expect("root may give a folder away");
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut guard = command.spawn().expect("there is a shell");
        let stdout = guard.stdout.take().expect("the output is piped");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("the guard's output is readable");
        if line != "ready\n" {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            drop(guard.stdin.take());
            panic!("PostgreSQL did not start in {}:\n{log}", folder.display());
        }
        Self { binaries, folder, databases: AtomicU32::new(0), _guard: guard }
    }

    fn create(&self) -> Database {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        let made = Command::new(self.binaries.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--username=strongroom"])
            .args(["--dbname=postgres", "--host"])
            .arg(&self.folder)
            .args(["--command", &format!("CREATE DATABASE {name}")])
            .output()
            .expect("psql stands beside postgres");
        let complaint = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "cannot create {name}: {complaint}");
        let host = self.folder.display();
        Database {
            url: format!("postgres://strongroom@localhost/{name}?host={host}"),
            _folder: None,
        }
    }
}

/// The folder of the newest PostgreSQL where distributions put it.
fn find_binaries() -> PathBuf {
    let is_server = |folder: &PathBuf| {
        let all = ["initdb", "pg_ctl", "postgres", "psql"];
        all.iter().all(|name| folder.join(name).is_file())
    };
    let version = |folder: &PathBuf| -> u32 {
        let version = folder.parent().and_then(Path::file_name);
        let version = version.and_then(|name| name.to_str());
        version.and_then(|v| v.parse().ok()).unwrap_or(0)
    };
    let installed = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(is_server)
        .max_by_key(version);
    let elsewhere = || {
        ["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"]
            .map(PathBuf::from)
            .into_iter()
            .find(is_server)
    };
    installed.or_else(elsewhere).expect(
        "these tests run on PostgreSQL as well: install its server and client programs, \
         on Debian with `apt-get install postgresql`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_database_is_another() {
        let (a, b) = (Database::postgres(), Database::postgres());
        assert_ne!(a.url(), b.url());
        let (c, d) = (Database::sqlite(), Database::sqlite());
        assert_ne!(c.url(), d.url());
    }
}
