"""AWS Lambda functions: thin handlers that run the code of the services."""
