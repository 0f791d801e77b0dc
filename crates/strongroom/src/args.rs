//! What is typed on the command line.

mod server;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

pub(crate) use server::{NewServer, Server, ServerPlace};

/// Self-hosted cloud backup: OpenStack's volume-backup API over one real engine.
#[derive(Debug, Parser)]
#[command(name = "strongroom", version, max_term_width = 100)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The sub-commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything embedded: identity, volume and CBR APIs, SQLite, a folder as store.
    Up(Up),
    /// Use the backup engine alone, without any server.
    #[command(subcommand)]
    Store(Store),
    /// Keep the inventory of servers: which volumes are whose disks.
    #[command(subcommand)]
    Server(Server),
}

/// Options of `up`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Up {
    /// Where everything is kept.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(crate) data: PathBuf,
    /// Make a sample disk, back it up twice, restore it, compare, and go on serving.
    #[arg(long)]
    pub(crate) demo: bool,
    /// Address of the identity service; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5000")]
    pub(crate) identity: SocketAddr,
    /// Address of the volume service; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8776")]
    pub(crate) volume: SocketAddr,
    /// Address of the CBR service; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8799")]
    pub(crate) cbr: SocketAddr,
    /// Catalogue: a `postgres://` or `sqlite://` URL; DIR/catalog.db if absent.
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Store: a folder or `s3://BUCKET/PREFIX`; DIR/store if absent. S3 credentials come from
    /// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL, and how often
    /// a request is sent at most from AWS_MAX_ATTEMPTS.
    #[arg(long, value_name = "STORE")]
    pub(crate) store: Option<String>,
    /// Master key; DIR/master.key if absent, made at the first start.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Jobs that run at once.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) workers: usize,
    /// Rehearse: run on a clock that is ahead of the machine's by what FILE says, such as `8 days`.
    /// FILE is read whenever the time is asked.
    #[arg(long, value_name = "FILE")]
    pub(crate) clock_ahead: Option<PathBuf>,
    /// Refuse an increment without a parent, as Cinder does, instead of making a full backup.
    #[arg(long)]
    pub(crate) strict_cinder: bool,
}

/// Where a store is and what opens it.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Location {
    /// The store: a folder or `s3://BUCKET/PREFIX`.
    #[arg(long, value_name = "STORE")]
    pub(crate) store: String,
    /// The file with the master key.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Names one backup in a store.
#[derive(Debug, Clone, ClapArgs)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// The newest backup of this name.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The backup of this id.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// The engine's verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Back up a disk image or block device: in full at first, then what changed since NAME's
    /// newest backup. Makes the store and the key if neither exists.
    Backup {
        #[command(flatten)]
        at: Location,
        /// Name of the series.
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Threads; 0 for one per core, at most eight.
        #[arg(long, value_name = "N", default_value_t = 0)]
        threads: usize,
        /// The image or device to read.
        image: PathBuf,
    },
    /// Restore a backup to a sparse raw file, or onto an existing file or device.
    Restore {
        #[command(flatten)]
        at: Location,
        #[command(flatten)]
        which: Which,
        /// Threads; 0 for one per core, at most eight.
        #[arg(long, value_name = "N", default_value_t = 0)]
        threads: usize,
        /// The file or device to write.
        out: PathBuf,
    },
    /// List the backups.
    Ls {
        #[command(flatten)]
        at: Location,
    },
    /// Read everything back and check it; exit code 2 if anything is damaged.
    Verify {
        #[command(flatten)]
        at: Location,
    },
    /// Delete a backup; its space comes back at the next `gc`.
    Rm {
        #[command(flatten)]
        at: Location,
        #[command(flatten)]
        which: Which,
    },
    /// Collect garbage: remove what no backup needs.
    Gc {
        #[command(flatten)]
        at: Location,
    },
    /// Write backups as plain sparse raw files with a JSON description beside each.
    Export {
        #[command(flatten)]
        at: Location,
        /// The newest backup of this name; all backups without --name and --id.
        #[arg(long, value_name = "NAME", conflicts_with = "id")]
        name: Option<String>,
        /// The backup of this id.
        #[arg(long, value_name = "ID")]
        id: Option<String>,
        /// The directory to write to.
        dir: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn restore_needs_exactly_one_of_name_and_id() {
        let parse = |extra: &[&str]| {
            let mut line = vec!["strongroom", "store", "restore", "--store", "s", "--key", "k"];
            line.extend(extra);
            Args::try_parse_from(line)
        };
        assert!(parse(&["--name", "n", "out"]).is_ok());
        assert!(parse(&["--id", "i", "out"]).is_ok());
        assert!(parse(&["out"]).is_err());
        assert!(parse(&["--name", "n", "--id", "i", "out"]).is_err());
    }
}
