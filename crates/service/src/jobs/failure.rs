//! How a job can fail, as far as the queue cares.

use crate::Error;

/// Why a job did not end well.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another worker holds the job: nothing may be written.
    Lost,
    /// This process is being stopped: the job goes back to the queue as if never claimed.
    Stopped,
    /// Another job must end first; trying again is no failure.
    Later,
    /// May succeed when tried again.
    Transient(String),
    /// Will fail again.
    Permanent(String),
    /// Stored bytes are lost or wrong, so that a backup is not what it was called.
    Damaged(String),
}

/// What the work of a job returns.
pub(super) type Work<T> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = super::chain(&error);
        match error {
            Error::Unavailable { .. } => Self::Transient(text),
            _ => Self::Permanent(text),
        }
    }
}

impl From<strongroom_catalog::Error> for Failure {
    fn from(error: strongroom_catalog::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<strongroom_engine::Error> for Failure {
    fn from(error: strongroom_engine::Error) -> Self {
        let text = super::chain(&error);
        // A vault that was there and is not: its store may have been unmounted.
        let is_away = matches!(error, strongroom_engine::Error::VaultMissing(_));
        if error.is_transient() || is_away {
            Self::Transient(text)
        } else if error.is_damage() || is_gone(&error) {
            Self::Damaged(text)
        } else {
            Self::Permanent(text)
        }
    }
}

/// Whether the store says that the backup does not exist, or not any more.
fn is_gone(error: &strongroom_engine::Error) -> bool {
    use strongroom_engine::Error;
    matches!(error, Error::BackupMissing(_) | Error::BackupDeleted(_))
}
