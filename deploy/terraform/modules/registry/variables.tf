variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "repositories" {
  description = "Images; each gets a repository."
  type        = set(string)
}

variable "key_arn" {
  description = "KMS key of the images."
  type        = string
}

variable "kept_images" {
  description = "Number of images that a repository keeps, for rollbacks."
  type        = number
  default     = 30
}

variable "force_delete" {
  description = "Whether destroy deletes the repositories and their images."
  type        = bool
}
