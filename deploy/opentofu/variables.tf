variable "profile" {
  description = "The section of ~/.oci/config to use."
  type        = string
  default     = "DEFAULT"
}

variable "region" {
  description = "Your home region, such as eu-frankfurt-1: Always Free machines exist there only."
  type        = string
}

variable "tenancy_ocid" {
  description = "The OCID of your tenancy (the console: your profile, Tenancy)."
  type        = string
}

variable "compartment_ocid" {
  description = "Where everything goes. Empty: the tenancy itself."
  type        = string
  default     = ""
}

variable "availability_domain" {
  description = "Which availability domain to ask for a machine, from 1. Regions have one or three; beyond the last it begins anew."
  type        = number
  default     = 1

  validation {
    condition     = var.availability_domain >= 1 && var.availability_domain == floor(var.availability_domain)
    error_message = "Give a whole number, 1 or more."
  }
}

variable "ssh_public_key" {
  description = "One line, as in ~/.ssh/id_ed25519.pub. Opens the machine for the user ubuntu."
  type        = string
}

variable "ssh_from" {
  description = "Addresses that may reach SSH (port 22), such as 203.0.113.7/32."
  type        = string
  default     = "0.0.0.0/0"
}

variable "domain" {
  description = "The name by which people reach the box. Point it at the output public_ip; a free dynamic name will do."
  type        = string
}

variable "email" {
  description = "Where the certificate authority may write to."
  type        = string
}

variable "repository" {
  description = "Where git fetches the box's code from. The machine has no key for a private one."
  type        = string
}

variable "ref" {
  description = "The tag or branch of it to install."
  type        = string
  default     = "main"
}

variable "install_arguments" {
  description = "More arguments for deploy/install.sh; its --help lists them."
  type        = list(string)
  default     = []
}

# What is free: 2 OCPUs and 12 GB in all, 200 GB of volumes in all (docs/oci.md).

variable "ocpus" {
  description = "Of VM.Standard.A1.Flex."
  type        = number
  default     = 2

  validation {
    condition     = var.ocpus >= 1 && var.ocpus <= 2
    error_message = "1 or 2 are free; more costs money."
  }
}

variable "memory_gb" {
  description = "Gigabytes of memory."
  type        = number
  default     = 12

  validation {
    condition     = var.memory_gb >= 6 && var.memory_gb <= 12
    error_message = "Up to 12 are free, and the box wants 6."
  }
}

variable "boot_volume_gb" {
  description = "Gigabytes of the one volume, which holds system, database and downloads."
  type        = number
  default     = 200

  validation {
    condition     = var.boot_volume_gb >= 50 && var.boot_volume_gb <= 200
    error_message = "50 is the least there is; up to 200 are free, if you have no other volume."
  }
}

variable "bucket" {
  description = "The name of the bucket for backups."
  type        = string
  default     = "oci-torrent-proxy-backups"
}

variable "bucket_email" {
  description = "An address for the user that owns the bucket's key. Empty: email. Some tenancies want another for each user: you+backups@…"
  type        = string
  default     = ""
}

variable "bucket_days" {
  description = "Days after which the bucket deletes what the box itself did not: a safety net well above its own retention."
  type        = number
  default     = 400

  validation {
    condition     = var.bucket_days >= 250
    error_message = "The box keeps monthly backups for half a year: the net has to be wider, 250 days or more."
  }
}
