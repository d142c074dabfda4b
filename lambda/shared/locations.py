"""Say how long an address may be that is sent in a response's header."""

# API Gateway's headers have 10,240 bytes together
# (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html), of which all others take less
# than 1,500; and 8,000 are what RFC 9110, 4.1, asks everybody to be able to read.
MAX_LOCATION_BYTES = 8000
