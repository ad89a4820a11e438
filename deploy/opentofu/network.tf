locals {
  compartment = var.compartment_ocid == "" ? var.tenancy_ocid : var.compartment_ocid
  place       = var.compartment_ocid == "" ? "tenancy" : "compartment id ${var.compartment_ocid}" # as policies call it
  anybody     = "0.0.0.0/0"
  tcp         = "6"
  udp         = "17"
  icmp        = "1"

  # 80 for certificates and the way to 443; SFTP; peers. The machine's own firewall opens the same.
  ports = {
    "HTTP"        = { protocol = "tcp", port = 80 }
    "HTTPS"       = { protocol = "tcp", port = 443 }
    "SFTP"        = { protocol = "tcp", port = 8022 }
    "peers (TCP)" = { protocol = "tcp", port = 51413 }
    "peers (UDP)" = { protocol = "udp", port = 51413 }
  }
}

resource "oci_core_vcn" "box" {
  compartment_id = local.compartment
  cidr_blocks    = ["10.60.0.0/16"]
  display_name   = "torrent-proxy"
  dns_label      = "torrentproxy"
}

resource "oci_core_internet_gateway" "box" {
  compartment_id = local.compartment
  vcn_id         = oci_core_vcn.box.id
  display_name   = "torrent-proxy"
}

resource "oci_core_route_table" "box" {
  compartment_id = local.compartment
  vcn_id         = oci_core_vcn.box.id
  display_name   = "torrent-proxy"

  route_rules {
    destination       = local.anybody
    destination_type  = "CIDR_BLOCK"
    network_entity_id = oci_core_internet_gateway.box.id
  }
}

resource "oci_core_security_list" "box" {
  compartment_id = local.compartment
  vcn_id         = oci_core_vcn.box.id
  display_name   = "torrent-proxy"

  egress_security_rules {
    destination = local.anybody
    protocol    = "all"
  }

  ingress_security_rules {
    description = "SSH"
    protocol    = local.tcp
    source      = var.ssh_from

    tcp_options {
      min = 22
      max = 22
    }
  }

  # Without "fragmentation needed" large packets vanish: the machine's MTU is 9000, the internet's 1500.
  ingress_security_rules {
    description = "Path MTU discovery"
    protocol    = local.icmp
    source      = local.anybody

    icmp_options {
      type = 3
      code = 4
    }
  }

  dynamic "ingress_security_rules" {
    for_each = { for name, rule in local.ports : name => rule if rule.protocol == "tcp" }

    content {
      description = ingress_security_rules.key
      protocol    = local.tcp
      source      = local.anybody

      tcp_options {
        min = ingress_security_rules.value.port
        max = ingress_security_rules.value.port
      }
    }
  }

  dynamic "ingress_security_rules" {
    for_each = { for name, rule in local.ports : name => rule if rule.protocol == "udp" }

    content {
      description = ingress_security_rules.key
      protocol    = local.udp
      source      = local.anybody

      udp_options {
        min = ingress_security_rules.value.port
        max = ingress_security_rules.value.port
      }
    }
  }
}

resource "oci_core_subnet" "box" {
  compartment_id             = local.compartment
  vcn_id                     = oci_core_vcn.box.id
  cidr_block                 = "10.60.0.0/24"
  display_name               = "torrent-proxy"
  dns_label                  = "box"
  route_table_id             = oci_core_route_table.box.id
  security_list_ids          = [oci_core_security_list.box.id]
  prohibit_public_ip_on_vnic = false
}
