//! A server as the services of a cloud describe it: Nova's, Neutron's and Cinder's documents.
//!
//! A backup keeps them as they were when it was made ([`ServerDocuments`]); the front doors show
//! them as they are now. They are made from the inventory and the volumes' rows and from nothing
//! else: a key that such a document has and that nobody here knows the value of is empty or null.

mod disk;
mod machine;
mod network;
mod spaced;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_model::server::Server;
use strongroom_model::volume::Volume;

pub use disk::{VOLUME_HOST, VOLUME_TYPE, attachment_document, volume_document};
pub use machine::{flavor_document, server_document};
pub use network::{floating_ips_document, interface_documents, interfaces_document, port_document};
pub use spaced::spaced;

use super::Attachment;

/// The one host that is named wherever a document names one.
const HOST: &str = "strongroom";

/// Where the links of documents lead to: scheme, host and prefix, without a version. Links to an
/// empty address begin with a slash, which is what holds wherever the documents are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// The compute service.
    pub compute: &'a str,
    /// The volume service.
    pub volume: &'a str,
}

impl Place<'_> {
    fn links(origin: &str, version: &str, path: &str) -> Value {
        json!([
            {"rel": "self", "href": format!("{origin}/{version}/{path}")},
            {"rel": "bookmark", "href": format!("{origin}/{path}")},
        ])
    }
}

/// Everything that is known about a server, as documents of a cloud's services.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerDocuments {
    /// `{"server": {…}}`; null for a disk alone.
    pub server: Value,
    /// `{"flavor": {…}}`; null for a disk alone.
    pub flavor: Value,
    /// `{"interfaceAttachments": […]}`; null for a disk alone.
    pub interfaces: Value,
    /// One `{"port": {…}}` for each interface.
    pub ports: Vec<Value>,
    /// One `{"floatingips": […]}`, null in it if there are none; nothing for a disk alone.
    pub floating_ips: Vec<Value>,
    /// One `{"volume": {…}}` for each disk.
    pub volumes: Vec<Value>,
}

/// The same documents as strings that hold JSON, under the keys by which clients know them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DocumentStrings {
    /// Of the server; empty for a disk alone.
    pub server: String,
    /// Of each disk.
    pub volumes: Vec<String>,
    /// Of the interfaces; empty for a disk alone.
    pub interface: String,
    /// Of the flavor; empty for a disk alone.
    pub flavor: String,
    /// Of each port.
    pub ports: Vec<String>,
    /// Of the floating addresses.
    pub floatingips: Vec<String>,
}

impl ServerDocuments {
    /// The documents of a server and of those of its disks whose volumes are given, in the disks'
    /// order.
    pub fn of(server: &Server, volumes: &[Volume], place: &Place<'_>) -> Self {
        let attachments = Attachment::all_of(server);
        let disks = attachments.iter().filter_map(|attachment| {
            let volume = volumes.iter().find(|volume| volume.id == attachment.volume_id)?;
            Some(json!({"volume": volume_document(volume, Some(attachment), place)}))
        });
        let ports = server.interfaces.iter().enumerate();
        Self {
            server: json!({"server": server_document(server, place)}),
            flavor: json!({"flavor": flavor_document(&server.flavor, &server.project_id, place)}),
            interfaces: interfaces_document(server),
            ports: ports
                .map(|(at, interface)| json!({"port": port_document(server, interface, at == 0)}))
                .collect(),
            floating_ips: vec![floating_ips_document(server)],
            volumes: disks.collect(),
        }
    }

    /// The document of a disk that is backed up alone.
    pub fn of_volume(volume: &Volume, attachment: Option<&Attachment>, place: &Place<'_>) -> Self {
        let document = json!({"volume": volume_document(volume, attachment, place)});
        Self { volumes: vec![document], ..Self::default() }
    }

    /// The documents as strings, with the separators that clients have seen: a space after each in
    /// interface and flavor, none elsewhere.
    pub fn strings(&self) -> DocumentStrings {
        let compact = |documents: &[Value]| documents.iter().map(Value::to_string).collect();
        DocumentStrings {
            server: text(&self.server, Value::to_string),
            volumes: compact(&self.volumes),
            interface: text(&self.interfaces, spaced),
            flavor: text(&self.flavor, spaced),
            ports: compact(&self.ports),
            floatingips: compact(&self.floating_ips),
        }
    }
}

/// A document as text; what is not there is empty.
fn text(document: &Value, write: fn(&Value) -> String) -> String {
    if document.is_null() { String::new() } else { write(document) }
}

#[cfg(test)]
mod tests;
