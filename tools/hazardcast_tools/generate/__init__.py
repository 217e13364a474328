"""What is written from code: schemas, asyncapi.yaml, the READMEs' tables."""
