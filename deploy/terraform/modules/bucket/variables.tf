variable "bucket" {
  description = "Name of the bucket; it must be unique in all of AWS."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the bucket; null if `encrypted` is false."
  type        = string
  default     = null
}

variable "encrypted" {
  description = "Whether objects are encrypted with `key_arn`; otherwise with S3's own key, as access logs must be."
  type        = bool
  default     = true
}

variable "force_destroy" {
  description = "Whether destroy deletes the bucket and its objects."
  type        = bool
}

variable "replaced_days" {
  description = "Days that a replaced or deleted version is kept."
  type        = number
  default     = 90
}

variable "classes" {
  description = "Days after which objects move to cheaper storage, by storage class."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for class, days in var.classes : days >= 30 || !contains(["STANDARD_IA", "ONEZONE_IA"], class)])
    error_message = "classes: S3 moves no object to STANDARD_IA or ONEZONE_IA before it is 30 days old."
  }

  validation {
    condition     = length(setintersection(keys(var.classes), ["GLACIER", "DEEP_ARCHIVE"])) == 0
    error_message = "classes: objects in GLACIER or DEEP_ARCHIVE can't be read for hours, so an index couldn't be rebuilt from them. Use GLACIER_IR."
  }
}

variable "expire_days" {
  description = "Days after which objects are deleted; null: never."
  type        = number
  default     = null
}

variable "log" {
  description = "Bucket of the access log, and the folder in it. null: no log."
  type        = object({ bucket = string, name = string })
  default     = null
}

variable "logs_of" {
  description = "Buckets whose access logs this one takes: folder, ARN and account."
  type        = list(object({ name = string, arn = string, account_id = string }))
  default     = []
}

variable "replica" {
  description = "Bucket in another region that each object is copied to, its region and key, and the account. null: no copy."
  type        = object({ bucket_arn = string, region = string, key_arn = string, account_id = string })
  default     = null

  validation {
    condition     = var.replica == null || try(var.encrypted && var.region != null && var.replica.region != var.region, false)
    error_message = "replica must be a bucket in another region than the bucket's own (region), and the bucket must have a KMS key."
  }
}

variable "region" {
  description = "Region of the bucket; needed for a copy."
  type        = string
  default     = null
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of the copying role; null: none."
  type        = string
  default     = null
}
