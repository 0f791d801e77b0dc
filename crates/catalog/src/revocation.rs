//! Tokens that were given back before their time. Tokens themselves are not stored.

use strongroom_model::time::Timestamp;

use crate::error::Result;
use crate::sql::{Session, Value};

const WHAT: &str = "token revocation";

/// Reads and writes revocations.
#[derive(Debug)]
pub struct Revocations<'t>(pub(crate) &'t mut Session);

impl Revocations<'_> {
    /// Revokes a token, which would have expired at `expires_at`; it may be revoked already.
    pub async fn insert(&mut self, token_id: &str, expires_at: Timestamp) -> Result<()> {
        let sql = "INSERT INTO revoked_token (token_id, expires_at) VALUES ($1, $2) \
                   ON CONFLICT DO NOTHING";
        let values = vec![Value::text(token_id), expires_at.into()];
        self.0.execute(WHAT, sql, values).await?;
        Ok(())
    }

    /// Whether a token was revoked.
    pub async fn is_revoked(&mut self, token_id: &str) -> Result<bool> {
        let sql = "SELECT token_id FROM revoked_token WHERE token_id = $1";
        let rows = self.0.rows(WHAT, sql, vec![Value::text(token_id)]).await?;
        Ok(!rows.is_empty())
    }

    /// Forgets tokens that expired before an instant; returns how many.
    pub async fn purge(&mut self, before: Timestamp) -> Result<u64> {
        let sql = "DELETE FROM revoked_token WHERE expires_at < $1";
        self.0.execute(WHAT, sql, vec![before.into()]).await
    }
}
