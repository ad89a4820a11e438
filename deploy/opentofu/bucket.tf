data "oci_objectstorage_namespace" "own" {
  compartment_id = local.compartment
}

resource "oci_objectstorage_bucket" "backups" {
  compartment_id = local.compartment
  namespace      = data.oci_objectstorage_namespace.own.namespace
  name           = var.bucket
  access_type    = "NoPublicAccess"
  storage_tier   = "Standard"
  versioning     = "Disabled" # old versions would fill the free 20 GB unseen
}

# Lifecycle rules work only where the service itself may delete.
resource "oci_identity_policy" "lifecycle" {
  compartment_id = var.tenancy_ocid
  name           = "torrent-proxy-lifecycle"
  description    = "Lets the lifecycle rules of the bucket of backups delete."
  statements = [
    "Allow service objectstorage-${var.region} to manage object-family in ${local.place} where target.bucket.name = '${var.bucket}'",
  ]
}

resource "oci_objectstorage_object_lifecycle_policy" "backups" {
  namespace  = oci_objectstorage_bucket.backups.namespace
  bucket     = oci_objectstorage_bucket.backups.name
  depends_on = [oci_identity_policy.lifecycle]

  rules {
    name        = "abort-unfinished-uploads"
    target      = "multipart-uploads"
    action      = "ABORT"
    time_amount = 1
    time_unit   = "DAYS"
    is_enabled  = true
  }

  rules {
    name        = "delete-what-was-forgotten"
    target      = "objects"
    action      = "DELETE"
    time_amount = var.bucket_days
    time_unit   = "DAYS"
    is_enabled  = true
  }
}

# Somebody who can do nothing else: the key lies on the machine.
resource "oci_identity_user" "backups" {
  compartment_id = var.tenancy_ocid
  name           = "torrent-proxy-backups"
  description    = "Reads and writes the bucket of backups."
  email          = var.bucket_email == "" ? var.email : var.bucket_email
}

resource "oci_identity_group" "backups" {
  compartment_id = var.tenancy_ocid
  name           = "torrent-proxy-backups"
  description    = "Reads and writes the bucket of backups."
}

resource "oci_identity_user_group_membership" "backups" {
  user_id  = oci_identity_user.backups.id
  group_id = oci_identity_group.backups.id
}

resource "oci_identity_policy" "backups" {
  compartment_id = var.tenancy_ocid
  name           = "torrent-proxy-backups"
  description    = "One bucket, and nothing else."
  statements = [
    "Allow group ${oci_identity_group.backups.name} to read buckets in ${local.place} where target.bucket.name = '${var.bucket}'",
    "Allow group ${oci_identity_group.backups.name} to manage objects in ${local.place} where target.bucket.name = '${var.bucket}'",
  ]
}

resource "oci_identity_customer_secret_key" "backups" {
  user_id      = oci_identity_user.backups.id
  display_name = "torrent-proxy-backups"
}
