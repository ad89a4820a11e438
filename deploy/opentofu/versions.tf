# A box within Oracle's Always Free: docs/oci.md says how to use it. OpenTofu and Terraform read it alike.

terraform {
  required_version = ">= 1.6"
  required_providers {
    oci = {
      source  = "oracle/oci"
      version = ">= 6.0"
    }
  }
}

# Who you are comes from ~/.oci/config: oci setup config makes it.
provider "oci" {
  config_file_profile = var.profile
  region              = var.region
}
