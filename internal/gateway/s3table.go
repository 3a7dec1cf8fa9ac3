package gateway

// s3Row is one operation of S3's REST interface.
type s3Row struct {
	method string
	sub    string // subresource in the query; "" for none
	object bool   // on an object, else on a bucket

	operation string
	action    string // on the bucket or the object; "" where derive adds all
	version   string // the action if a versionId is given; "" keeps action
	extra     uint16
}

// What an operation has besides its action.
const (
	takesCopy      uint16 = 1 << iota // reads x-amz-copy-source
	takesObject                       // sets an object's tags, ACL and lock by headers
	takesLock                         // honours x-amz-bypass-governance-retention
	takesVersion                      // versionId may be given
	writesACL                         // ACL headers are the operation's own
	listsKeys                         // prefix, delimiter and max-keys are context
	bodyDelete                        // body lists the objects
	bodyObjectTags                    // body holds an object's tags
	bodyBucketTags                    // body holds a bucket's tags
	bodyCreate                        // body holds a new bucket's place and tags
	needsGet                          // needs s3:GetObject as well
	takesBucketACL                    // sets a new bucket's ACL, lock and ownership by headers
)

// s3Table lists S3's operations: method, subresource, bucket or object, name,
// and the action AWS authorises (Amazon S3 API reference, "Actions"; service
// authorization reference for Amazon S3). An operation that is not here is
// refused.
var s3Table = [...]s3Row{
	{"HEAD", "", false, "HeadBucket", "ListBucket", "", 0},
	{"GET", "", false, "ListObjects", "ListBucket", "", listsKeys},
	{"GET", "versions", false, "ListObjectVersions", "ListBucketVersions", "", listsKeys},
	{"GET", "uploads", false, "ListMultipartUploads", "ListBucketMultipartUploads", "", 0},
	{"GET", "abac", false, "GetBucketAbac", "GetBucketAbac", "", 0},
	{"GET", "accelerate", false, "GetBucketAccelerateConfiguration", "GetAccelerateConfiguration", "", 0},
	{"GET", "acl", false, "GetBucketAcl", "GetBucketAcl", "", 0},
	{"GET", "analytics", false, "GetBucketAnalyticsConfiguration", "GetAnalyticsConfiguration", "", 0},
	{"GET", "cors", false, "GetBucketCors", "GetBucketCORS", "", 0},
	{"GET", "encryption", false, "GetBucketEncryption", "GetEncryptionConfiguration", "", 0},
	{"GET", "intelligent-tiering", false, "GetBucketIntelligentTieringConfiguration", "GetIntelligentTieringConfiguration", "", 0},
	{"GET", "inventory", false, "GetBucketInventoryConfiguration", "GetInventoryConfiguration", "", 0},
	{"GET", "lifecycle", false, "GetBucketLifecycleConfiguration", "GetLifecycleConfiguration", "", 0},
	{"GET", "location", false, "GetBucketLocation", "GetBucketLocation", "", 0},
	{"GET", "logging", false, "GetBucketLogging", "GetBucketLogging", "", 0},
	{"GET", "metadataConfiguration", false, "GetBucketMetadataConfiguration", "GetBucketMetadataTableConfiguration", "", 0},
	{"GET", "metadataTable", false, "GetBucketMetadataTableConfiguration", "GetBucketMetadataTableConfiguration", "", 0},
	{"GET", "metrics", false, "GetBucketMetricsConfiguration", "GetMetricsConfiguration", "", 0},
	{"GET", "notification", false, "GetBucketNotificationConfiguration", "GetBucketNotification", "", 0},
	{"GET", "object-lock", false, "GetObjectLockConfiguration", "GetBucketObjectLockConfiguration", "", 0},
	{"GET", "ownershipControls", false, "GetBucketOwnershipControls", "GetBucketOwnershipControls", "", 0},
	{"GET", "policy", false, "GetBucketPolicy", "GetBucketPolicy", "", 0},
	{"GET", "policyStatus", false, "GetBucketPolicyStatus", "GetBucketPolicyStatus", "", 0},
	{"GET", "publicAccessBlock", false, "GetPublicAccessBlock", "GetBucketPublicAccessBlock", "", 0},
	{"GET", "replication", false, "GetBucketReplication", "GetReplicationConfiguration", "", 0},
	{"GET", "requestPayment", false, "GetBucketRequestPayment", "GetBucketRequestPayment", "", 0},
	{"GET", "tagging", false, "GetBucketTagging", "GetBucketTagging", "", 0},
	{"GET", "versioning", false, "GetBucketVersioning", "GetBucketVersioning", "", 0},
	{"GET", "website", false, "GetBucketWebsite", "GetBucketWebsite", "", 0},

	{"PUT", "", false, "CreateBucket", "CreateBucket", "", takesBucketACL | bodyCreate},
	{"PUT", "abac", false, "PutBucketAbac", "PutBucketAbac", "", 0},
	{"PUT", "accelerate", false, "PutBucketAccelerateConfiguration", "PutAccelerateConfiguration", "", 0},
	{"PUT", "acl", false, "PutBucketAcl", "PutBucketAcl", "", writesACL},
	{"PUT", "analytics", false, "PutBucketAnalyticsConfiguration", "PutAnalyticsConfiguration", "", 0},
	{"PUT", "cors", false, "PutBucketCors", "PutBucketCORS", "", 0},
	{"PUT", "encryption", false, "PutBucketEncryption", "PutEncryptionConfiguration", "", 0},
	{"PUT", "intelligent-tiering", false, "PutBucketIntelligentTieringConfiguration", "PutIntelligentTieringConfiguration", "", 0},
	{"PUT", "inventory", false, "PutBucketInventoryConfiguration", "PutInventoryConfiguration", "", 0},
	{"PUT", "lifecycle", false, "PutBucketLifecycleConfiguration", "PutLifecycleConfiguration", "", 0},
	{"PUT", "logging", false, "PutBucketLogging", "PutBucketLogging", "", 0},
	{"PUT", "metadataInventoryTable", false, "UpdateBucketMetadataInventoryTableConfiguration", "UpdateBucketMetadataInventoryTableConfiguration", "", 0},
	{"PUT", "metadataJournalTable", false, "UpdateBucketMetadataJournalTableConfiguration", "UpdateBucketMetadataJournalTableConfiguration", "", 0},
	{"PUT", "metrics", false, "PutBucketMetricsConfiguration", "PutMetricsConfiguration", "", 0},
	{"PUT", "notification", false, "PutBucketNotificationConfiguration", "PutBucketNotification", "", 0},
	{"PUT", "object-lock", false, "PutObjectLockConfiguration", "PutBucketObjectLockConfiguration", "", 0},
	{"PUT", "ownershipControls", false, "PutBucketOwnershipControls", "PutBucketOwnershipControls", "", 0},
	{"PUT", "policy", false, "PutBucketPolicy", "PutBucketPolicy", "", 0},
	{"PUT", "publicAccessBlock", false, "PutPublicAccessBlock", "PutBucketPublicAccessBlock", "", 0},
	{"PUT", "replication", false, "PutBucketReplication", "PutReplicationConfiguration", "", 0},
	{"PUT", "requestPayment", false, "PutBucketRequestPayment", "PutBucketRequestPayment", "", 0},
	{"PUT", "tagging", false, "PutBucketTagging", "PutBucketTagging", "", bodyBucketTags},
	{"PUT", "versioning", false, "PutBucketVersioning", "PutBucketVersioning", "", 0},
	{"PUT", "website", false, "PutBucketWebsite", "PutBucketWebsite", "", 0},

	{"DELETE", "", false, "DeleteBucket", "DeleteBucket", "", 0},
	{"DELETE", "analytics", false, "DeleteBucketAnalyticsConfiguration", "PutAnalyticsConfiguration", "", 0},
	{"DELETE", "cors", false, "DeleteBucketCors", "PutBucketCORS", "", 0},
	{"DELETE", "encryption", false, "DeleteBucketEncryption", "PutEncryptionConfiguration", "", 0},
	{"DELETE", "intelligent-tiering", false, "DeleteBucketIntelligentTieringConfiguration", "PutIntelligentTieringConfiguration", "", 0},
	{"DELETE", "inventory", false, "DeleteBucketInventoryConfiguration", "PutInventoryConfiguration", "", 0},
	{"DELETE", "lifecycle", false, "DeleteBucketLifecycle", "PutLifecycleConfiguration", "", 0},
	{"DELETE", "metadataConfiguration", false, "DeleteBucketMetadataConfiguration", "DeleteBucketMetadataTableConfiguration", "", 0},
	{"DELETE", "metadataTable", false, "DeleteBucketMetadataTableConfiguration", "DeleteBucketMetadataTableConfiguration", "", 0},
	{"DELETE", "metrics", false, "DeleteBucketMetricsConfiguration", "PutMetricsConfiguration", "", 0},
	{"DELETE", "ownershipControls", false, "DeleteBucketOwnershipControls", "PutBucketOwnershipControls", "", 0},
	{"DELETE", "policy", false, "DeleteBucketPolicy", "DeleteBucketPolicy", "", 0},
	{"DELETE", "publicAccessBlock", false, "DeletePublicAccessBlock", "PutBucketPublicAccessBlock", "", 0},
	{"DELETE", "replication", false, "DeleteBucketReplication", "PutReplicationConfiguration", "", 0},
	{"DELETE", "tagging", false, "DeleteBucketTagging", "PutBucketTagging", "", 0},
	{"DELETE", "website", false, "DeleteBucketWebsite", "DeleteBucketWebsite", "", 0},

	{"POST", "delete", false, "DeleteObjects", "", "", bodyDelete | takesLock},
	{"POST", "metadataConfiguration", false, "CreateBucketMetadataConfiguration", "CreateBucketMetadataTableConfiguration", "", 0},
	{"POST", "metadataTable", false, "CreateBucketMetadataTableConfiguration", "CreateBucketMetadataTableConfiguration", "", 0},

	{"HEAD", "", true, "HeadObject", "GetObject", "GetObjectVersion", takesVersion},
	{"GET", "", true, "GetObject", "GetObject", "GetObjectVersion", takesVersion},
	{"GET", "acl", true, "GetObjectAcl", "GetObjectAcl", "GetObjectVersionAcl", takesVersion},
	{"GET", "attributes", true, "GetObjectAttributes", "GetObjectAttributes", "GetObjectVersionAttributes", takesVersion | needsGet},
	{"GET", "legal-hold", true, "GetObjectLegalHold", "GetObjectLegalHold", "", takesVersion},
	{"GET", "retention", true, "GetObjectRetention", "GetObjectRetention", "", takesVersion},
	{"GET", "tagging", true, "GetObjectTagging", "GetObjectTagging", "GetObjectVersionTagging", takesVersion},
	{"GET", "torrent", true, "GetObjectTorrent", "GetObjectTorrent", "", 0},
	{"GET", "uploadId", true, "ListParts", "ListMultipartUploadParts", "", 0},

	{"PUT", "", true, "PutObject", "PutObject", "", takesObject | takesCopy},
	{"PUT", "uploadId", true, "UploadPart", "PutObject", "", takesCopy},
	{"PUT", "acl", true, "PutObjectAcl", "PutObjectAcl", "PutObjectVersionAcl", takesVersion | writesACL},
	{"PUT", "encryption", true, "UpdateObjectEncryption", "UpdateObjectEncryption", "", takesVersion},
	{"PUT", "legal-hold", true, "PutObjectLegalHold", "PutObjectLegalHold", "", takesVersion},
	{"PUT", "retention", true, "PutObjectRetention", "PutObjectRetention", "", takesVersion | takesLock},
	{"PUT", "tagging", true, "PutObjectTagging", "PutObjectTagging", "PutObjectVersionTagging", takesVersion | bodyObjectTags},

	{"POST", "uploads", true, "CreateMultipartUpload", "PutObject", "", takesObject},
	{"POST", "uploadId", true, "CompleteMultipartUpload", "PutObject", "", 0},
	{"POST", "restore", true, "RestoreObject", "RestoreObject", "", takesVersion},
	{"POST", "select", true, "SelectObjectContent", "GetObject", "", 0},

	{"DELETE", "", true, "DeleteObject", "DeleteObject", "DeleteObjectVersion", takesVersion | takesLock},
	{"DELETE", "uploadId", true, "AbortMultipartUpload", "AbortMultipartUpload", "", 0},
	{"DELETE", "tagging", true, "DeleteObjectTagging", "DeleteObjectTagging", "DeleteObjectVersionTagging", takesVersion},
}

// s3Params are the query parameters that do not choose the operation. A
// parameter that is neither here nor a subresource is refused: an upstream of
// another make might take it for an operation of its own.
var s3Params = map[string]bool{
	"x-id": true, "versionId": true, "partNumber": true, "id": true, "list-type": true, "select-type": true,
	"prefix": true, "delimiter": true, "marker": true, "max-keys": true, "encoding-type": true,
	"continuation-token": true, "start-after": true, "fetch-owner": true,
	"key-marker": true, "version-id-marker": true, "upload-id-marker": true, "max-uploads": true,
	"max-parts": true, "part-number-marker": true, "max-buckets": true, "bucket-region": true,
	"response-cache-control": true, "response-content-disposition": true, "response-content-encoding": true,
	"response-content-language": true, "response-content-type": true, "response-expires": true,
}

// s3Subresources are the parameters that choose the operation; all but
// uploadId are flags without a value.
var s3Subresources = subresources()

func subresources() map[string]bool {
	set := map[string]bool{}
	for _, row := range s3Table {
		if row.sub != "" {
			set[row.sub] = true
		}
	}
	return set
}

// findS3 finds the row of a request, or nil.
func findS3(method, sub string, object bool) *s3Row {
	for i := range s3Table {
		if r := &s3Table[i]; r.method == method && r.sub == sub && r.object == object {
			return r
		}
	}
	return nil
}
