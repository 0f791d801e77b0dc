//! Signed requests: from a signature to a caller.
//!
//! What is not signed can be changed on the way, and clients add the names of project and domain
//! after signing. So they choose among the user's own roles and give nothing: the caller has the
//! role that the key's user holds in exactly the scope that was named.

use strongroom_catalog::Transaction;
use strongroom_model::id::{DomainId, ProjectId};
use strongroom_model::identity::{AccessKey, Scope, User};
use strongroom_model::time::Timestamp;

use super::proof::{Proof, Proved};
use super::signature::{Claim, SignedRequest};
use super::token::{enabled_domain, grant};
use super::{DomainRef, NameOrId, ScopeRequest};
use crate::error::{Error, Result};
use crate::{Caller, Service};

/// What is refused to a key in a scope where its user holds no role, or that is not its own.
const USE_SCOPE: &str = "identity:use_scope";

/// A key that proves something now, and whose it is.
pub(super) struct Holder {
    pub(super) key: AccessKey,
    pub(super) user: User,
}

impl Service {
    /// The caller that signed a request, in the project that the request's path names; if it names
    /// none in that of the header `X-Project-Id`, else in the domain of `X-Domain-Id`, else in the
    /// user's default project.
    ///
    /// # Errors
    /// `Unauthenticated` alike for an unknown, disabled or ended key, a wrong signature, a date
    /// outside of [`WINDOW`](super::signature::WINDOW) or a wrong security token; `Forbidden` if
    /// all is right but the user holds no role in the named scope, or the temporary key is for
    /// another.
    pub async fn caller_by_signature(
        &self,
        request: &SignedRequest<'_>,
        project: Option<&str>,
        request_id: String,
    ) -> Result<Caller> {
        Ok(self.prove_signature(request, project, request_id).await?.caller)
    }

    /// As [`Service::caller_by_signature`], with the key that proved it.
    pub async fn prove_signature(
        &self,
        request: &SignedRequest<'_>,
        project: Option<&str>,
        request_id: String,
    ) -> Result<Proved> {
        let header = request.only("authorization")?.ok_or(Error::Unauthenticated)?;
        let claim = Claim::parse(header).ok_or(Error::Unauthenticated)?;
        let named = named_scope(request, project)?;
        let (claim, named, request_id) = (&claim, &named, &request_id);
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let holder = find_holder(tx, claim.access_key, self.now()).await?;
                    self.check_signature(&holder.key, claim, request)?;
                    let (caller, is_own_scope) = scoped(tx, &holder, named, request_id).await?;
                    let proof = Proof::Signature {
                        access: holder.key.access,
                        is_temporary: holder.key.bounds.is_some(),
                        is_own_scope,
                    };
                    Ok(Proved { caller, proof })
                })
            })
            .await
    }

    fn check_signature(
        &self,
        key: &AccessKey,
        claim: &Claim<'_>,
        request: &SignedRequest<'_>,
    ) -> Result<()> {
        let secret = self.sealer().open(&key.access, &key.sealed_secret)?;
        let is_right = claim.verify(&secret, request, self.now());
        let brought = request.only("x-security-token")?.filter(|token| !token.is_empty());
        let is_complete = match (brought, &key.bounds) {
            (None, None) => true,
            (Some(token), Some(_)) => is_same(token, &self.sealer().security_token(&key.access)),
            _ => false,
        };
        if is_right && is_complete { Ok(()) } else { Err(Error::Unauthenticated) }
    }
}

/// Compares two secrets in a time that does not tell where they differ.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    blake3::hash(one.as_bytes()) == blake3::hash(other.as_bytes())
}

/// The key of that public half, if it and all that it rests on holds at `now`.
pub(super) async fn find_holder(
    tx: &mut Transaction<'_>,
    access: &str,
    now: Timestamp,
) -> Result<Holder> {
    let key = enabled_key(tx, access).await?;
    let user = tx.users().find(&key.user_id).await?.filter(|user| user.is_enabled);
    let user = user.ok_or(Error::Unauthenticated)?;
    enabled_domain(tx, &user.domain_id).await?;
    if let Some(bounds) = &key.bounds {
        if bounds.expires_at <= now || key.created_at < user.tokens_valid_from {
            return Err(Error::Unauthenticated);
        }
        if let Some(token_id) = &bounds.token_id
            && tx.revocations().is_revoked(token_id).await?
        {
            return Err(Error::Unauthenticated);
        }
        if let Some(parent) = &bounds.parent {
            enabled_key(tx, parent).await?;
        }
    }
    Ok(Holder { key, user })
}

async fn enabled_key(tx: &mut Transaction<'_>, access: &str) -> Result<AccessKey> {
    let key = find_key(tx, access).await?.filter(|key| key.is_enabled);
    key.ok_or(Error::Unauthenticated)
}

/// The key of that public half. What no key can be named is not looked for: not every database
/// takes every text.
pub(super) async fn find_key(tx: &mut Transaction<'_>, access: &str) -> Result<Option<AccessKey>> {
    if access.is_empty() || !access.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(None);
    }
    Ok(tx.access_keys().find(access).await?)
}

/// The scope that a request names.
fn named_scope(request: &SignedRequest<'_>, project: Option<&str>) -> Result<Option<Scope>> {
    let header = |name| Ok::<_, Error>(request.only(name)?.filter(|id| !id.is_empty()));
    let nowhere = |_| Error::Forbidden(USE_SCOPE);
    let project = match project {
        Some(project) => Some(project),
        None => header("x-project-id")?,
    };
    if let Some(id) = project {
        return ProjectId::parse(id).map(|id| Some(Scope::Project(id))).map_err(nowhere);
    }
    let Some(id) = header("x-domain-id")? else {
        return Ok(None);
    };
    DomainId::parse(id).map(|id| Some(Scope::Domain(id))).map_err(nowhere)
}

/// The caller in the scope that was named, and whether none was.
async fn scoped(
    tx: &mut Transaction<'_>,
    holder: &Holder,
    named: &Option<Scope>,
    request_id: &str,
) -> Result<(Caller, bool)> {
    let user = &holder.user;
    let bound = holder.key.bounds.as_ref().and_then(|bounds| bounds.scope.clone());
    let default = || user.default_project_id.clone().map(Scope::Project);
    let (scope, may_be_none) = match (bound, named) {
        (Some(bound), Some(named)) if bound != *named => return Err(Error::Forbidden(USE_SCOPE)),
        (Some(bound), _) => (Some(bound), false),
        // Clients name their account always; who holds no role in it asks for nothing there.
        (None, Some(Scope::Domain(id))) if *id == user.domain_id => (named.clone(), true),
        (None, Some(named)) => (Some(named.clone()), false),
        (None, None) => (default(), true),
    };
    let granted = match grant(tx, user, &request_for(scope)).await {
        Err(Error::Unauthenticated) if may_be_none => grant(tx, user, &request_for(None)).await,
        Err(Error::Unauthenticated) => Err(Error::Forbidden(USE_SCOPE)),
        other => other,
    }?;
    Ok((granted.into_caller(user.id.clone(), request_id.to_owned()), named.is_none()))
}

fn request_for(scope: Option<Scope>) -> ScopeRequest {
    match scope {
        Some(Scope::Project(id)) => ScopeRequest::Project(NameOrId::Id(id.as_str().to_owned())),
        Some(Scope::Domain(id)) => ScopeRequest::Domain(DomainRef::Id(id.as_str().to_owned())),
        None => ScopeRequest::Unscoped,
    }
}
