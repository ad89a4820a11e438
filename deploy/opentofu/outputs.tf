output "public_ip" {
  description = "Point your domain at it."
  value       = oci_core_public_ip.box.ip_address
}

output "ssh" {
  value = "ssh ubuntu@${oci_core_public_ip.box.ip_address}"
}

output "site" {
  value = "https://${var.domain}/"
}

output "installation" {
  description = "How the installation stands; its log holds the first password and the key of the backups."
  value       = "ssh ubuntu@${oci_core_public_ip.box.ip_address} sudo tail -n 40 /root/torrentproxy-install.log"
}

# Lines for /etc/oci-torrent-proxy/box.env: tofu output -raw backup_settings
output "backup_settings" {
  description = "Where backups go. Secret."
  sensitive   = true
  value       = <<-EOT
    BACKUP_BUCKET=${oci_objectstorage_bucket.backups.name}
    BACKUP_ENDPOINT=https://${data.oci_objectstorage_namespace.own.namespace}.compat.objectstorage.${var.region}.oci.customer-oci.com
    BACKUP_REGION=${var.region}
    BACKUP_ACCESS_KEY=${oci_identity_customer_secret_key.backups.id}
    BACKUP_SECRET_KEY=${oci_identity_customer_secret_key.backups.key}
  EOT
}
