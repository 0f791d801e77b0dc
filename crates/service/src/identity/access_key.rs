//! Access keys: made, shown, changed and removed.

use std::time::Duration;

use strongroom_catalog::Transaction;
use strongroom_model::chance::Chance;
use strongroom_model::id::UserId;
use strongroom_model::identity::{AccessKey, KeyBounds};

use super::admin::{missing, set};
use super::proof::{Proof, Proved};
use super::signed::find_key;
use super::user::user_by_id;
use crate::error::{Error, Result};
use crate::{Caller, Service};

/// Permanent keys that a user may have, so that one can take another's place.
pub const PERMANENT_KEYS_MAX: usize = 2;

/// Temporary keys of one user that may hold at once.
pub const TEMPORARY_KEYS_MAX: u64 = 200;

/// The shortest life of a temporary key, and its life unless told otherwise.
pub const TEMPORARY_LIFE_MIN: Duration = Duration::from_secs(15 * 60);

/// The longest life of a temporary key.
pub const TEMPORARY_LIFE_MAX: Duration = Duration::from_secs(24 * 3600);

/// Characters of a key's public half: 100 bits.
const ACCESS_CHARS: usize = 20;

/// Characters of a key's secret half: 200 bits.
const SECRET_CHARS: usize = 40;

/// What keys are written with: 32 characters, so that each tells five bits.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A key that was just made. The secret is told now and never again.
#[derive(Clone)]
pub struct IssuedKey {
    /// The key.
    pub key: AccessKey,
    /// Its secret half.
    pub secret: String,
    /// What must come with every request that a temporary key signs.
    pub security_token: Option<String>,
}

impl std::fmt::Debug for IssuedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedKey").field("access", &self.key.access).finish_non_exhaustive()
    }
}

/// What to change in a key; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct AccessKeyChange {
    /// Whether it proves anything.
    pub is_enabled: Option<bool>,
    /// Free text.
    pub description: Option<String>,
}

impl Service {
    /// Makes a permanent key: for the caller itself, or by an admin for another user.
    ///
    /// # Errors
    /// `Invalid` if the user has [`PERMANENT_KEYS_MAX`]; `Forbidden` for another's, and for whoever
    /// signed with a temporary key, which would outlive itself.
    pub async fn create_access_key(
        &self,
        by: &Proved,
        user: Option<&str>,
        description: String,
    ) -> Result<IssuedKey> {
        const RULE: &str = "identity:create_credential";
        refuse_temporary(by, RULE)?;
        let user_id = self.key_owner(&by.caller, user, RULE)?;
        let issued = self.draw_key(user_id, description, None)?;
        let key = &issued.key;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    user_by_id(tx, key.user_id.as_str()).await?;
                    let held = tx.access_keys().list_permanent(&key.user_id).await?;
                    if held.len() >= PERMANENT_KEYS_MAX {
                        return Err(Error::Invalid {
                            field: "credential",
                            message: format!(
                                "a user may have no more than {PERMANENT_KEYS_MAX} access keys"
                            ),
                        });
                    }
                    Ok(tx.access_keys().insert(key).await?)
                })
            })
            .await?;
        Ok(issued)
    }

    /// Makes a temporary key for the caller itself, in the scope that it asks in. It holds for
    /// `life`, [`TEMPORARY_LIFE_MIN`] if absent, and never longer than what proved the caller.
    ///
    /// # Errors
    /// `Invalid` for a life out of bounds or if [`TEMPORARY_KEYS_MAX`] are held; `Forbidden` for
    /// whoever signed with a temporary key.
    pub async fn create_temporary_key(
        &self,
        by: &Proved,
        life: Option<Duration>,
    ) -> Result<IssuedKey> {
        refuse_temporary(by, "identity:create_temporary_credential")?;
        let life = life.unwrap_or(TEMPORARY_LIFE_MIN);
        if !(TEMPORARY_LIFE_MIN..=TEMPORARY_LIFE_MAX).contains(&life) {
            return Err(Error::Invalid {
                field: "duration_seconds",
                message: "a temporary access key holds from 15 minutes to 24 hours".to_owned(),
            });
        }
        let bounds = self.bounds(by, life);
        let issued = self.draw_key(by.caller.user_id.clone(), String::new(), Some(bounds))?;
        let (key, now) = (&issued.key, self.now());
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    tx.access_keys().purge(now).await?;
                    if tx.access_keys().count_temporary(&key.user_id).await? >= TEMPORARY_KEYS_MAX {
                        return Err(Error::Invalid {
                            field: "credential",
                            message: format!(
                                "a user may hold no more than {TEMPORARY_KEYS_MAX} temporary \
                                 access keys at once"
                            ),
                        });
                    }
                    Ok(tx.access_keys().insert(key).await?)
                })
            })
            .await?;
        Ok(issued)
    }

    /// The permanent keys of the caller itself, or of another user for an admin.
    pub async fn access_keys(&self, caller: &Caller, user: Option<&str>) -> Result<Vec<AccessKey>> {
        let user_id = &self.key_owner(caller, user, "identity:list_credentials")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    user_by_id(tx, user_id.as_str()).await?;
                    Ok(tx.access_keys().list_permanent(user_id).await?)
                })
            })
            .await
    }

    /// One permanent key: any for an admin, else one of the caller's own.
    pub async fn access_key(&self, caller: &Caller, access: &str) -> Result<AccessKey> {
        self.catalog()
            .read(|tx| Box::pin(async move { visible_key(tx, caller, access).await }))
            .await
    }

    /// Changes a permanent key: any for an admin, else one of the caller's own.
    pub async fn update_access_key(
        &self,
        caller: &Caller,
        access: &str,
        change: AccessKeyChange,
    ) -> Result<AccessKey> {
        let change = &change;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut key = visible_key(tx, caller, access).await?;
                    key.is_enabled = change.is_enabled.unwrap_or(key.is_enabled);
                    set(&mut key.description, &change.description);
                    tx.access_keys().update(&key).await?;
                    Ok(key)
                })
            })
            .await
    }

    /// Removes a permanent key, with it the temporary ones that were asked for by it and the power
    /// of its tokens: any for an admin, else one of the caller's own.
    pub async fn delete_access_key(&self, caller: &Caller, access: &str) -> Result<()> {
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let key = visible_key(tx, caller, access).await?;
                    tx.access_keys().delete(&key.access).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Whose keys are meant, if the caller may.
    fn key_owner(&self, caller: &Caller, user: Option<&str>, rule: &'static str) -> Result<UserId> {
        let Some(id) = user else {
            return Ok(caller.user_id.clone());
        };
        if caller.user_id.as_str() != id {
            caller.require_cloud_admin(rule)?;
        }
        UserId::parse(id).map_err(|_| missing("user", id))
    }

    fn bounds(&self, by: &Proved, life: Duration) -> KeyBounds {
        let latest = self.now().plus(life);
        let (expires_at, parent, token_id) = match &by.proof {
            Proof::Token { audit_id, expires_at, access_key } => {
                (latest.min(*expires_at), access_key.clone(), Some(audit_id.clone()))
            }
            Proof::Signature { access, .. } => (latest, Some(access.clone()), None),
        };
        KeyBounds { expires_at, scope: by.scope_to_lend(), parent, token_id }
    }

    fn draw_key(
        &self,
        user_id: UserId,
        description: String,
        bounds: Option<KeyBounds>,
    ) -> Result<IssuedKey> {
        let access = draw(ACCESS_CHARS, self.chance());
        let secret = draw(SECRET_CHARS, self.chance());
        let sealed_secret = self.sealer().seal(&access, &secret, self.chance())?;
        let security_token = bounds.as_ref().map(|_| self.sealer().security_token(&access));
        let key = AccessKey {
            access,
            user_id,
            sealed_secret,
            description,
            is_enabled: true,
            created_at: self.now(),
            bounds,
        };
        Ok(IssuedKey { key, secret, security_token })
    }
}

fn draw(chars: usize, chance: &dyn Chance) -> String {
    let mut bytes = vec![0; chars];
    chance.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

fn refuse_temporary(by: &Proved, rule: &'static str) -> Result<()> {
    match by.proof {
        Proof::Signature { is_temporary: true, .. } => Err(Error::Forbidden(rule)),
        Proof::Signature { .. } | Proof::Token { .. } => Ok(()),
    }
}

/// A permanent key that the caller may know of.
async fn visible_key(tx: &mut Transaction<'_>, caller: &Caller, access: &str) -> Result<AccessKey> {
    let key = find_key(tx, access).await?.filter(|key| key.bounds.is_none());
    let key = key.filter(|key| caller.is_cloud_admin || caller.user_id == key.user_id);
    key.ok_or_else(|| missing("credential", access))
}
