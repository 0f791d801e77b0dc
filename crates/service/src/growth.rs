//! Volumes that grow: the row first, and back again if the file does not follow.

use strongroom_model::identity::Role;
use strongroom_model::quota::Resource;
use strongroom_model::size::GiB;
use strongroom_model::volume::{Volume, VolumeStatus};

use crate::error::{Error, Result};
use crate::{Caller, Service};

impl Service {
    /// Makes an available volume larger; its new end reads as zeros.
    pub async fn extend_volume(&self, caller: &Caller, id: &str, size: GiB) -> Result<()> {
        let project = caller.project(Role::Member, "volume:extend")?;
        let (volume, before) = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut volume = self.find_volume(tx, caller, project, id).await?;
                    if volume.status != VolumeStatus::Available {
                        return Err(Error::VolumeBusy { id: volume.id, status: volume.status });
                    }
                    self.refuse_while_copied(tx, &volume).await?;
                    let before = volume.size;
                    let needed = GiB(before.0 + 1);
                    if size < needed {
                        return Err(Error::SizeTooSmall { wanted: size, needed });
                    }
                    let asked = [
                        (Resource::PerVolumeGigabytes, i64::from(size.0)),
                        (Resource::Gigabytes, i64::from(size.0 - before.0)),
                    ];
                    self.check_quota(tx, project, &asked).await?;
                    volume.size = size;
                    self.write_volume(tx, &mut volume).await?;
                    Ok((volume, before))
                })
            })
            .await?;
        let path = self.folder().volume(volume.id);
        let grown = self.on_folder(move |folder| folder.extend(&path, size.bytes())).await;
        if grown.is_err() {
            self.shrink_back(&volume, before).await?;
        }
        grown.map_err(|error| if is_too_large(&error) { too_large(size) } else { error })
    }

    /// Gives a volume whose file did not grow the size back that it had `before`.
    async fn shrink_back(&self, volume: &Volume, before: GiB) -> Result<()> {
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    if let Some(mut found) = tx.volumes().find_any(volume.id).await?
                        && found.size == volume.size
                    {
                        found.size = before;
                        self.write_volume(tx, &mut found).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// Whether a file did not grow because no file of its file system may be that large.
fn is_too_large(error: &Error) -> bool {
    let Error::Unavailable { source, .. } = error else { return false };
    let source = source.downcast_ref::<std::io::Error>();
    source.is_some_and(|source| source.kind() == std::io::ErrorKind::FileTooLarge)
}

fn too_large(size: GiB) -> Error {
    let message = format!("{} GiB are more than one file can hold", size.0);
    Error::Invalid { field: "new_size", message }
}
