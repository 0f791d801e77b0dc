//! The front doors: foreign requests in, calls on [`strongroom_service::Service`] and its answers out.
//!
//! [`volume`] speaks OpenStack's volume-backup dialect (versions 2 and 3) and the companions that its
//! clients need; [`cbr`] speaks the vendor's dialect of vaults; [`identity`] speaks the part of
//! Keystone's that gets them a token and a catalogue.
//! [`compute`] speaks as much of Nova's as shows the servers whose disks are backed up.
//! Nothing here decides anything: a door reads a request, names things in the words of the model,
//! asks the service, and writes the answer in the dialect's own keys, formats and error texts.

mod authenticate;
pub mod cbr;
pub mod compute;
mod fault;
pub mod identity;
mod incoming;
mod json;
mod openapi;
mod origin;
pub mod peer;
mod query;
mod reply;
mod routing;
pub mod volume;
