//! One transaction, seen as groups of methods: a family of rows each.

use std::marker::PhantomData;
use std::pin::Pin;

use crate::sql::Session;
use crate::{
    Agents, Assignments, Backups, Checkpoints, Domains, Jobs, Operations, OrganizationPolicies,
    Policies, Projects, Quotas, Replications, Revocations, SavedPoints, ServerBackups, Settings,
    Shares, Snapshots, TagSets, Tasks, Users, Vaults, Volumes,
};

/// A boxed future that may move between threads.
pub type BoxFuture<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// A transaction on the catalogue, from [`Catalog::transact`](crate::Catalog::transact) or
/// [`Catalog::read`](crate::Catalog::read).
///
/// `'env` is the life of what the work borrows from around it. After a statement has failed the
/// transaction cannot be committed; return the error.
#[derive(Debug)]
pub struct Transaction<'env> {
    pub(crate) session: Session,
    // `&'t mut Transaction<'env>` implies that 'env outlives 't, which lets the future that borrows
    // the transaction borrow from its surroundings too.
    scope: PhantomData<&'env ()>,
}

impl Transaction<'_> {
    pub(crate) const fn new(session: Session) -> Self {
        Self { session, scope: PhantomData }
    }

    /// Containers of projects and users.
    pub const fn domains(&mut self) -> Domains<'_> {
        Domains(&mut self.session)
    }

    /// Owners of everything.
    pub const fn projects(&mut self) -> Projects<'_> {
        Projects(&mut self.session)
    }

    /// Who can ask for a token.
    pub const fn users(&mut self) -> Users<'_> {
        Users(&mut self.session)
    }

    /// Which roles users hold where.
    pub const fn assignments(&mut self) -> Assignments<'_> {
        Assignments(&mut self.session)
    }

    /// Tokens that were given back before their time.
    pub const fn revocations(&mut self) -> Revocations<'_> {
        Revocations(&mut self.session)
    }

    /// Where backups are kept.
    pub const fn vaults(&mut self) -> Vaults<'_> {
        Vaults(&mut self.session)
    }

    /// Disks that are protected.
    pub const fn volumes(&mut self) -> Volumes<'_> {
        Volumes(&mut self.session)
    }

    /// Frozen states of volumes.
    pub const fn snapshots(&mut self) -> Snapshots<'_> {
        Snapshots(&mut self.session)
    }

    /// Saved points of volumes.
    pub const fn backups(&mut self) -> Backups<'_> {
        Backups(&mut self.session)
    }

    /// Runs over vaults.
    pub const fn checkpoints(&mut self) -> Checkpoints<'_> {
        Checkpoints(&mut self.session)
    }

    /// Saved points of servers.
    pub const fn server_backups(&mut self) -> ServerBackups<'_> {
        ServerBackups(&mut self.session)
    }

    /// Saved points of either kind.
    pub const fn saved(&mut self) -> SavedPoints<'_> {
        SavedPoints(&mut self.session)
    }

    /// Copies of backups in other regions.
    pub const fn replications(&mut self) -> Replications<'_> {
        Replications(&mut self.session)
    }

    /// The log of what was done.
    pub const fn operations(&mut self) -> Operations<'_> {
        Operations(&mut self.session)
    }

    /// Agents in servers.
    pub const fn agents(&mut self) -> Agents<'_> {
        Agents(&mut self.session)
    }

    /// Policies of whole domains.
    pub const fn organization_policies(&mut self) -> OrganizationPolicies<'_> {
        OrganizationPolicies(&mut self.session)
    }

    /// Backups that other projects may use.
    pub const fn shares(&mut self) -> Shares<'_> {
        Shares(&mut self.session)
    }

    /// Keys and values on things.
    pub const fn tags(&mut self) -> TagSets<'_> {
        TagSets(&mut self.session)
    }

    /// What is backed up when, and the disks that belong to it.
    pub const fn policies(&mut self) -> Policies<'_> {
        Policies(&mut self.session)
    }

    /// What policies did.
    pub const fn tasks(&mut self) -> Tasks<'_> {
        Tasks(&mut self.session)
    }

    /// Background work.
    pub const fn jobs(&mut self) -> Jobs<'_> {
        Jobs(&mut self.session)
    }

    /// How much projects may keep, and do keep.
    pub const fn quotas(&mut self) -> Quotas<'_> {
        Quotas(&mut self.session)
    }

    /// What all nodes share besides.
    pub const fn settings(&mut self) -> Settings<'_> {
        Settings(&mut self.session)
    }
}
