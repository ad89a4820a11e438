# What the machine is told at its first boot.

locals {
  arguments = concat(["--domain", var.domain, "--email", var.email], var.install_arguments)

  # Nothing secret: whatever runs on the machine can read it from the metadata service.
  user_data = templatefile("${path.module}/cloud-init.yaml.tftpl", {
    script    = filebase64("${path.module}/first-boot.sh")
    unit      = filebase64("${path.module}/torrentproxy-first-boot.service")
    source    = base64encode("REPOSITORY=${var.repository}\nREF=${var.ref}\n")
    arguments = base64encode(join("", [for argument in local.arguments : "${argument}\n"]))
  })
}
