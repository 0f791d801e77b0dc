//! The other regions, as a file names them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use serde::Deserialize;
use strongroom_api::peer::{HttpPeer, PeerKeys};
use strongroom_model::time::Clock;
use strongroom_service::replication::{Peer, PeerKey, Peers, SECRET_MIN};

use crate::report::Hint;

/// One other region.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Its name.
    region: String,
    /// The address of its CBR door, as in `https://backup.example.org:8799`.
    endpoint: String,
    /// What both regions know and nobody else.
    secret: String,
}

/// The ways to the other regions, and the keys by which they are known when they ask.
pub(super) struct Regions {
    pub(super) peers: Peers,
    pub(super) keys: PeerKeys,
}

impl Regions {
    /// Reads the file; without one there is no other region.
    pub(super) fn read(
        file: Option<&Path>,
        own: &str,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let Some(file) = file else {
            return Ok(Self { peers: Peers::default(), keys: PeerKeys::new() });
        };
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let read = parse(&text, own, clock);
        read.with_context(|| {
            Hint("it is a list of {\"region\", \"endpoint\", \"secret\"}".to_owned())
        })
        .with_context(|| format!("cannot use {}", file.display()))
    }
}

fn parse(text: &str, own: &str, clock: &Arc<dyn Clock>) -> anyhow::Result<Regions> {
    // The message of the parser would show what stands there, secrets and all.
    let entries: Vec<Entry> = serde_json::from_str(text)
        .map_err(|error| anyhow::anyhow!("line {}, column {}", error.line(), error.column()))?;
    let mut seen = BTreeSet::new();
    let (mut peers, mut keys) = (Vec::new(), PeerKeys::new());
    for Entry { region, endpoint, secret } in entries {
        if region == own {
            bail!("{region} is this region");
        }
        if !seen.insert(region.clone()) {
            bail!("region {region} is named twice");
        }
        if !(endpoint.starts_with("http://") || endpoint.starts_with("https://")) {
            bail!("the endpoint of region {region} is no http:// or https:// address");
        }
        let Some(key) = PeerKey::derive(&secret) else {
            bail!("the secret of region {region} has fewer than {SECRET_MIN} characters");
        };
        let peer = HttpPeer::new((own, &region), &endpoint, key.clone(), Arc::clone(clock));
        let peer: Arc<dyn Peer> = Arc::new(peer.map_err(anyhow::Error::msg)?);
        peers.push((region.clone(), peer));
        keys.insert(region, key);
    }
    Ok(Regions { peers: Peers::of(peers), keys })
}

#[cfg(test)]
mod tests {
    use strongroom_model::time::SystemClock;

    use super::*;

    fn told(text: &str) -> String {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        match parse(text, "r1", &clock) {
            Ok(regions) => regions.peers.regions().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn regions_are_read_and_what_is_wrong_is_told_without_the_secret() {
        let good = r#"[{"region": "r2", "endpoint": "http://h:1", "secret": "0123456789abcdef"}]"#;
        assert_eq!(told(good), "r2");
        assert_eq!(told("[]"), "");
        assert_eq!(told(&good.replace("r2", "r1")), "r1 is this region");
        assert_eq!(
            told(&good.replace("http:", "ftp:")),
            "the endpoint of region r2 is no http:// or https:// address"
        );
        assert_eq!(
            told(&good.replace("abcdef", "")),
            "the secret of region r2 has fewer than 16 characters"
        );
        assert_eq!(told(&good.replace("secret", "key")), "line 1, column 49");
        let twice = good.replace(['[', ']'], "");
        assert_eq!(told(&format!("[{twice},{twice}]")), "region r2 is named twice");
    }
}
