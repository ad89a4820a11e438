data "oci_identity_availability_domains" "all" {
  compartment_id = var.tenancy_ocid
}

data "oci_core_images" "ubuntu" {
  compartment_id           = local.compartment
  operating_system         = "Canonical Ubuntu"
  operating_system_version = "24.04"
  shape                    = "VM.Standard.A1.Flex"
  sort_by                  = "TIMECREATED"
  sort_order               = "DESC"
}

resource "oci_core_instance" "box" {
  compartment_id      = local.compartment
  availability_domain = element(data.oci_identity_availability_domains.all.availability_domains, var.availability_domain - 1).name
  display_name        = "torrent-proxy"
  shape               = "VM.Standard.A1.Flex"

  shape_config {
    ocpus         = var.ocpus
    memory_in_gbs = var.memory_gb
  }

  source_details {
    source_type             = "image"
    source_id               = data.oci_core_images.ubuntu.images[0].id
    boot_volume_size_in_gbs = var.boot_volume_gb
  }

  create_vnic_details {
    subnet_id        = oci_core_subnet.box.id
    assign_public_ip = false # it gets the reserved one
    hostname_label   = "box"
  }

  # Version 1 of the metadata service answers whoever can make the machine fetch an address.
  instance_options {
    are_legacy_imds_endpoints_disabled = true
  }

  metadata = {
    ssh_authorized_keys = var.ssh_public_key
    user_data           = base64encode(local.user_data)
  }

  # A newer image or other arguments would make a new machine, with an empty disk. The box upgrades itself in place:
  # deploy/install.sh.
  lifecycle {
    ignore_changes = [source_details[0].source_id, metadata, availability_domain]
  }
}

data "oci_core_vnic_attachments" "box" {
  compartment_id = local.compartment
  instance_id    = oci_core_instance.box.id
}

data "oci_core_private_ips" "box" {
  vnic_id = data.oci_core_vnic_attachments.box.vnic_attachments[0].vnic_id
}

# Reserved: it outlives the machine, so a name that points at it stays right. Until it is there, a minute after the
# machine, nothing can be fetched: first-boot.sh tries again.
resource "oci_core_public_ip" "box" {
  compartment_id = local.compartment
  lifetime       = "RESERVED"
  display_name   = "torrent-proxy"
  private_ip_id  = data.oci_core_private_ips.box.private_ips[0].id
}
