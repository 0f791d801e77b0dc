//! What a sequence asks for, and what must be so once it was accepted.

use serde_json::Value;

use super::views::Policy;

/// One step of a sequence.
#[derive(Debug)]
pub(super) enum Step {
    /// All work that is due is done.
    Work,
    /// One job that is due is done.
    OneJob,
    /// So many seconds pass, and what policies fall due in them is begun.
    Pass(u64),
    /// A request is sent.
    Ask(Request),
}

/// Who asks, and at which door.
#[derive(Debug, Clone, Copy)]
pub(super) enum Door {
    /// The owner, where Cinder's dialect and the vendor's are spoken.
    Volume,
    /// The owner's administrator there.
    VolumeOfAdmin,
    /// The receiver there.
    VolumeOfReceiver,
    /// The owner, where vaults are spoken of.
    Cbr,
    /// The receiver there.
    CbrOfReceiver,
}

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) door: Door,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// What must be so if it is accepted.
    pub(super) effect: Effect,
}

impl Request {
    /// A step that sends it.
    pub(super) fn step(
        door: Door,
        (method, path): (&'static str, String),
        body: Option<Value>,
        effect: Effect,
    ) -> Option<Step> {
        Some(Step::Ask(Self { door, method, path, body, effect }))
    }
}

/// What must be so after a step.
#[derive(Debug)]
pub(super) enum Effect {
    /// Nothing in particular.
    None,
    /// A backup has a name.
    Named(String, String),
    /// A backup is on its way out, or gone.
    Going(String),
    /// A project is a member of a backup in a status, or is none.
    Member(String, String, Option<String>),
    /// A policy is there, or gone. An empty id stands for the one that was made.
    Policy(String, Option<Policy>),
}

impl Effect {
    /// The effect with the id that an answer tells.
    pub(super) fn after(self, answer: &Value) -> Self {
        let told = answer["backup_policy_id"].as_str().or(answer["policy"]["id"].as_str());
        match (self, told) {
            (Self::Policy(id, policy), Some(told)) if id.is_empty() => {
                Self::Policy(told.to_owned(), policy)
            }
            (effect, _) => effect,
        }
    }
}
