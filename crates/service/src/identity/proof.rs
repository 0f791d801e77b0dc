//! By what a caller was proved, where that matters: a key must not outlive what it was asked for by.

use strongroom_model::identity::Scope;
use strongroom_model::time::Timestamp;

use super::Token;
use crate::{Caller, CallerScope};

/// By what a caller was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// By a token.
    Token {
        /// Its id for audit and revocation.
        audit_id: String,
        /// When it ends.
        expires_at: Timestamp,
        /// The access key by which it was asked for.
        access_key: Option<String>,
    },
    /// By a signature.
    Signature {
        /// The public half of the key.
        access: String,
        /// Whether the key is a temporary one.
        is_temporary: bool,
        /// Whether the request named no scope, so that the key's or the user's own was taken.
        is_own_scope: bool,
    },
}

/// A caller and by what it was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// Who asks.
    pub caller: Caller,
    /// What proved it.
    pub proof: Proof,
}

impl Proved {
    /// Whether the request was signed.
    pub fn is_signed(&self) -> bool {
        matches!(self.proof, Proof::Signature { .. })
    }

    /// The scope to which a temporary key is bound that this caller asks for; without one it holds
    /// wherever its user does, as what the caller was proved by does too.
    pub(super) fn scope_to_lend(&self) -> Option<Scope> {
        match (&self.proof, &self.caller.scope) {
            (Proof::Signature { is_own_scope: true, .. }, _) | (_, CallerScope::Unscoped) => None,
            (_, CallerScope::Project(id)) => Some(Scope::Project(id.clone())),
            (_, CallerScope::Domain(id)) => Some(Scope::Domain(id.clone())),
        }
    }
}

impl Token {
    /// The caller that this token proves, and that it does.
    pub fn proved(&self, request_id: String) -> Proved {
        let proof = Proof::Token {
            audit_id: self.audit_id.clone(),
            expires_at: self.expires_at,
            access_key: self.access_key.clone(),
        };
        Proved { caller: self.caller(request_id), proof }
    }
}
