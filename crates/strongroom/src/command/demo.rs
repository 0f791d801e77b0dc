//! `up --demo`: a disk made of real files, backed up twice, restored twice, compared.
//!
//! It goes through the same service as every client, so that what it leaves behind is there for
//! the commands that a person types next.

mod disk;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::size::GiB;
use strongroom_model::volume::{Volume, VolumeStatus};
use strongroom_service::backup::NewBackup;
use strongroom_service::restore::RestoreRequest;
use strongroom_service::volume::NewVolume;
use strongroom_service::{Caller, Service};

use super::up::Access;
use crate::progress::{Meter, bytes, rate};

/// Size of the sample disk.
const DISK_SIZE: GiB = GiB(1);

/// How often a status is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Bytes compared at once.
const STEP_BYTES: usize = 1 << 20;

/// Shows the main job on real files.
#[expect(clippy::print_stdout, reason = "a demonstration talks")]
pub(crate) async fn run(service: &Service, access: &Access, data: &Path) -> anyhow::Result<()> {
    let token = access.token(service).await?;
    let demo = Demo { service, caller: &token.caller(service.request_id()) };
    println!();
    let volume = demo.volume("demo-disk").await?;
    let path = service.folder().volume(volume.id);
    let made = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || disk::make(&path, DISK_SIZE)).await??
    };
    println!("made a disk of {} from real files: {made}", bytes(DISK_SIZE.bytes()));
    let first_digest = digest(&path).await?;

    let full = demo.backup(&volume, "demo-full", false).await?;
    report("full backup", &full);
    let changed = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || disk::change(&path)).await??
    };
    println!("changed {} of the disk in {} places", bytes(changed.bytes), changed.places);
    let second_digest = digest(&path).await?;
    let increment = demo.backup(&volume, "demo-increment", true).await?;
    report("increment", &increment);

    for (backup, expected) in [(&full, first_digest), (&increment, second_digest)] {
        let restored = demo.restore(backup).await?;
        let found = digest(&service.folder().volume(restored.id)).await?;
        let name = backup.name.as_deref().unwrap_or_default();
        ensure!(found == expected, "the restored disk of {name} differs from the original");
        println!("restored {name} onto a new volume: every byte is equal");
    }
    print_next(data);
    Ok(())
}

struct Demo<'a> {
    service: &'a Service,
    caller: &'a Caller,
}

impl Demo<'_> {
    async fn volume(&self, name: &str) -> anyhow::Result<Volume> {
        let new = NewVolume {
            size: Some(DISK_SIZE),
            name: Some(name.to_owned()),
            ..NewVolume::default()
        };
        let volume = self.service.create_volume(self.caller, new).await?;
        self.settled_volume(&volume).await
    }

    async fn backup(
        &self,
        volume: &Volume,
        name: &str,
        incremental: bool,
    ) -> anyhow::Result<Backup> {
        let new = NewBackup {
            name: Some(name.to_owned()),
            is_incremental: incremental,
            ..NewBackup::of(volume.id)
        };
        let id = self.service.create_backup(self.caller, new).await?.id.to_string();
        let mut meter = Meter::new(name);
        loop {
            let backup = self.service.backup(self.caller, &id).await?;
            meter.set(u64::from(backup.progress));
            match backup.status {
                BackupStatus::Creating => pause().await,
                BackupStatus::Available => {
                    meter.finish();
                    return Ok(backup);
                }
                _ => bail!("the backup failed: {}", backup.fail_reason.unwrap_or_default()),
            }
        }
    }

    async fn restore(&self, backup: &Backup) -> anyhow::Result<Volume> {
        let name = backup.name.as_deref().map(|name| format!("{name}-restored"));
        let request = RestoreRequest { volume_id: None, name };
        let id = backup.id.to_string();
        let restore = self.service.restore_backup(self.caller, &id, request).await?;
        let volume = self.service.volume(self.caller, &restore.volume_id.to_string()).await?;
        self.settled_volume(&volume).await
    }

    async fn settled_volume(&self, volume: &Volume) -> anyhow::Result<Volume> {
        let id = volume.id.to_string();
        loop {
            let volume = self.service.volume(self.caller, &id).await?;
            match volume.status {
                VolumeStatus::Available => return Ok(volume),
                status if status.is_busy() => pause().await,
                status => bail!("volume {id} ended as {}", status.as_str()),
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "a demonstration talks")]
fn report(label: &str, backup: &Backup) {
    let Some(measured) = &backup.measured else {
        return;
    };
    println!(
        "{label}: read {} of {}, stored {} in {} objects, {:.1} s ({})",
        bytes(measured.read_bytes),
        bytes(measured.size_bytes),
        bytes(measured.stored_bytes),
        measured.object_count,
        Duration::from_micros(measured.duration_micros).as_secs_f64(),
        rate(measured.read_bytes, measured.duration_micros),
    );
}

#[expect(clippy::print_stdout, reason = "a demonstration talks")]
fn print_next(data: &Path) {
    let clouds = data.join("clouds.yaml");
    println!("\nIt goes on serving. With python-openstackclient, try next:\n");
    println!("  export OS_CLIENT_CONFIG_FILE={} OS_CLOUD=strongroom", clouds.display());
    println!("  openstack volume backup list");
    println!("  openstack volume backup create --incremental --name mine demo-disk\n");
}

async fn pause() {
    // A timer that nothing else ends: waiting on nothing, with a deadline.
    let _elapsed = tokio::time::timeout(LOOK, std::future::pending::<()>()).await;
}

/// The BLAKE3 digest of a file's bytes, holes included.
async fn digest(path: &Path) -> anyhow::Result<blake3::Hash> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut file =
            File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let (mut hasher, mut buffer) = (blake3::Hasher::new(), vec![0; STEP_BYTES]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.finalize()),
                count => hasher.update(&buffer[..count]),
            };
        }
    })
    .await?
}
