"""AWS Lambda functions: thin handlers over the same code as the services."""
