//! With whom a backup is shared.

use super::Route;
use crate::cbr::members;
use crate::routing::routes;

pub(super) const ROUTES: &[Route] = routes! {
    "listMembers" GET "backups/{backup_id}/members" => |call, id| members::list(call, id).await;
    "addMember" POST "backups/{backup_id}/members" => |call, id| members::create(call, id).await;
    "showMember" GET "backups/{backup_id}/members/{member_id}" => |call, id, member|
        members::show(call, id, member).await;
    "updateMember" PUT "backups/{backup_id}/members/{member_id}" => |call, id, member|
        members::update(call, id, member).await;
    "deleteMember" DELETE "backups/{backup_id}/members/{member_id}" => |call, id, member|
        members::delete(call, id, member).await;
};
