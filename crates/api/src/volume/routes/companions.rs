//! Limits, quotas, extensions, and the volumes and snapshots that clients ask for in the same
//! breath.

use super::{Route, routes};
use crate::volume::metadata::{self, Owner};
use crate::volume::volumes::View;
use crate::volume::{companions, extensions, quotas, snapshots, volume_actions, volumes};

pub(super) const ROUTES: &[Route] = routes! {
    "listVolumes" GET "volumes" => |call| volumes::list(call, "volumes", View::Summary).await;
    "listVolumeDetails" GET "volumes/detail" => |call| {
        volumes::list(call, "volumes/detail", View::Detail).await
    };
    "createVolume" POST "volumes" => |call| volumes::create(call).await;
    "showVolume" GET "volumes/{volume_id}" => |call, id| volumes::show(call, id).await;
    "updateVolume" PUT "volumes/{volume_id}" => |call, id| volumes::update(call, id).await;
    "deleteVolume" DELETE "volumes/{volume_id}" => |call, id| volumes::delete(call, id).await;
    "actOnVolume" POST "volumes/{volume_id}/action" => |call, id| volume_actions::act(call, id).await;
    "listSnapshots" GET "snapshots" => |call| {
        snapshots::list(call, "snapshots", snapshots::summary).await
    };
    "listSnapshotDetails" GET "snapshots/detail" => |call| {
        snapshots::list(call, "snapshots/detail", snapshots::detail).await
    };
    "createSnapshot" POST "snapshots" => |call| snapshots::create(call).await;
    "showSnapshot" GET "snapshots/{snapshot_id}" => |call, id| snapshots::show(call, id).await;
    "updateSnapshot" PUT "snapshots/{snapshot_id}" => |call, id| snapshots::update(call, id).await;
    "deleteSnapshot" DELETE "snapshots/{snapshot_id}" => |call, id| snapshots::delete(call, id).await;
    "actOnSnapshot" POST "snapshots/{snapshot_id}/action" => |call, id| {
        snapshots::act(call, id).await
    };
    "listVolumeMetadata" GET "volumes/{volume_id}/metadata" => |call, id| {
        metadata::list(call, Owner::Volume(id)).await
    };
    "mergeVolumeMetadata" POST "volumes/{volume_id}/metadata" => |call, id| {
        metadata::merge(call, Owner::Volume(id)).await
    };
    "replaceVolumeMetadata" PUT "volumes/{volume_id}/metadata" => |call, id| {
        metadata::replace(call, Owner::Volume(id)).await
    };
    "showVolumeMetadataItem" GET "volumes/{volume_id}/metadata/{key}" => |call, id, key| {
        metadata::show(call, Owner::Volume(id), key).await
    };
    "setVolumeMetadataItem" PUT "volumes/{volume_id}/metadata/{key}" => |call, id, key| {
        metadata::set(call, Owner::Volume(id), key).await
    };
    "removeVolumeMetadataItem" DELETE "volumes/{volume_id}/metadata/{key}" => |call, id, key| {
        metadata::remove(call, Owner::Volume(id), key).await
    };
    "listSnapshotMetadata" GET "snapshots/{snapshot_id}/metadata" => |call, id| {
        metadata::list(call, Owner::Snapshot(id)).await
    };
    "mergeSnapshotMetadata" POST "snapshots/{snapshot_id}/metadata" => |call, id| {
        metadata::merge(call, Owner::Snapshot(id)).await
    };
    "replaceSnapshotMetadata" PUT "snapshots/{snapshot_id}/metadata" => |call, id| {
        metadata::replace(call, Owner::Snapshot(id)).await
    };
    "showSnapshotMetadataItem" GET "snapshots/{snapshot_id}/metadata/{key}" => |call, id, key| {
        metadata::show(call, Owner::Snapshot(id), key).await
    };
    "setSnapshotMetadataItem" PUT "snapshots/{snapshot_id}/metadata/{key}" => |call, id, key| {
        metadata::set(call, Owner::Snapshot(id), key).await
    };
    "removeSnapshotMetadataItem" DELETE "snapshots/{snapshot_id}/metadata/{key}" => |call, id, key| {
        metadata::remove(call, Owner::Snapshot(id), key).await
    };
    "showLimits" GET "limits" => |call| quotas::limits(call).await;
    "showQuotas" GET "os-quota-sets/{target}" => |call, project| quotas::show(call, project).await;
    "showDefaultQuotas" GET "os-quota-sets/{target}/defaults" => |call, project| {
        quotas::defaults(call, project).await
    };
    "updateQuotas" PUT "os-quota-sets/{target}" => |call, project| {
        quotas::update(call, project).await
    };
    "resetQuotas" DELETE "os-quota-sets/{target}" => |call, project| {
        quotas::reset(call, project).await
    };
    "showQuotaClass" GET "os-quota-class-sets/{class}" => |call, class| {
        quotas::show_class(call, class).await
    };
    "updateQuotaClass" PUT "os-quota-class-sets/{class}" => |call, class| {
        quotas::update_class(call, class).await
    };
    "listExtensions" GET "extensions" => |call| extensions::list(call);
    "showExtension" GET "extensions/{alias}" => |call, alias| extensions::show(call, alias);
    "listResourceFilters" GET "resource_filters" => |call| companions::resource_filters(call);
    "listZones" GET "os-availability-zone" => |call| companions::zones(call);
    "listVolumeTypes" GET "types" => |_call| companions::types();
    "showVolumeType" GET "types/{type_id}" => |_call, id| companions::volume_type(id);
    "listServices" GET "os-services" => |_call| companions::nothing("services");
    "listMessages" GET "messages" => |_call| companions::nothing("messages");
};
