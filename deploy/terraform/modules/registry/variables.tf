variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "repositories" {
  description = "Images that are kept."
  type        = set(string)
}

variable "key_arn" {
  description = "Key the images are encrypted with."
  type        = string
}

variable "kept_images" {
  description = "How many images a repository keeps: as far back as a rollback reaches."
  type        = number
  default     = 30
}

variable "force_delete" {
  description = "Delete the repositories with their images on destroy."
  type        = bool
}
