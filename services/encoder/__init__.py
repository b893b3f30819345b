"""The embedding model as an endpoint of SageMaker."""
