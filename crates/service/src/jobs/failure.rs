//! How a job can fail, as far as the queue cares.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

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
    /// As [`Failure::Later`], but not before so long.
    Wait(Duration),
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
        let text = told(&error);
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
        let text = told(&error);
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

/// What users are told of an error: what it says, and what the system said if that was behind it.
/// Where the store and the catalogue are is for the log only.
fn told(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    if cause.is_some() {
        tracing::warn!(error = super::chain(error), "a job met an error");
    }
    while let Some(error) = cause {
        if let Some(system) = error.downcast_ref::<io::Error>()
            && system.raw_os_error().is_some()
        {
            text.push_str(&format!(": {system}"));
            break;
        }
        cause = error.source();
    }
    text
}

/// Whether the store says that the backup does not exist, or not any more.
fn is_gone(error: &strongroom_engine::Error) -> bool {
    use strongroom_engine::Error;
    matches!(error, Error::BackupMissing(_) | Error::BackupDeleted(_))
}

#[cfg(test)]
mod tests {
    use strongroom_engine::StoreError;

    use super::*;

    fn reason(source: Box<dyn StdError + Send + Sync>) -> String {
        let object = "manifests/x".to_owned();
        let failed = StoreError::Failed { verb: "create", object, is_transient: false, source };
        match Failure::from(strongroom_engine::Error::from(failed)) {
            Failure::Permanent(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn users_are_not_told_where_the_store_is() {
        let refused = reason("HEAD http://10.1.2.3:9000/bucket/manifests/x: 403".into());
        assert_eq!(refused, "could not create 'manifests/x'");
    }

    #[test]
    fn users_are_told_what_the_system_said() {
        let denied = io::Error::from_raw_os_error(13);
        let said = reason(Box::new(denied));
        assert_eq!(said, "could not create 'manifests/x': Permission denied (os error 13)");
    }
}
