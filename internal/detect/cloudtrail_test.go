package detect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// Given SigmaHQ's rules for AWS, when they are loaded, then CloudTrail's records have every field that they name, but for one that CloudTrail's
// documentation does not have either; and rules about whole objects, nested members and missing ones match the events that they are about.
func TestSigmaHQReadsCloudTrail(t *testing.T) {
	const folder = "../../../shared/data/sigma/rules/cloud/aws/cloudtrail"
	names, err := filepath.Glob(folder + "/*.yml")
	if err != nil || len(names) == 0 {
		t.Skip("no shared test data here")
	}
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{ // rule's file to the members of an event that it is about
		"aws_cloudtrail_disable_logging":                     `"eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging"`,
		"aws_cloudtrail_console_login_success_without_mfa":   `"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","additionalEventData":{"MFAUsed":"No"},"responseElements":{"ConsoleLogin":"Success"}`,
		"aws_cloudtrail_console_login_failed_authentication": `"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"}`,
		"aws_ec2_startup_script_change":                      `"eventSource":"ec2.amazonaws.com","eventName":"ModifyInstanceAttribute","requestParameters":{"attribute":"userData"}`,
		"aws_rds_change_master_password":                     `"eventSource":"rds.amazonaws.com","eventName":"ModifyDBInstance","responseElements":{"pendingModifiedValues":{"masterUserPassword":"****"}}`,
		"aws_ecs_task_definition_cred_endpoint_query":        `"eventSource":"ecs.amazonaws.com","eventName":"RegisterTaskDefinition","requestParameters":{"containerDefinitions":[{"command":["a $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]}]}`,
		"aws_disable_bucket_versioning":                      `"eventSource":"s3.amazonaws.com","eventName":"PutBucketVersioning","requestParameters":{"VersioningConfiguration":{"Status":"Suspended"}}`,
		"aws_root_account_usage":                             `"eventSource":"s3.amazonaws.com","eventName":"GetObject","eventType":"AwsApiCall"`,
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		docs, err := sigma.Parse(name, text)
		if err != nil {
			t.Fatal(err)
		}
		rule := docs[0].Rule
		for _, f := range rule.Loose() {
			if f != "status" {
				t.Errorf("%s: no record has %s", filepath.Base(name), f)
			}
		}
		members, ok := want[strings.TrimSuffix(filepath.Base(name), ".yml")]
		if !ok {
			continue
		}
		raw := `{"eventVersion":"1.08","userIdentity":{"type":"Root","arn":"arn:aws:iam::1:root"},"eventTime":"2023-04-11T15:24:00Z","awsRegion":"us-east-1",` + members + "}"
		r := p.Parse(record.Line{File: "trail.json", Raw: raw}, time.Time{})
		if !rule.Routed(r.Source) || !rule.Match(r) {
			t.Errorf("%s does not match %s", filepath.Base(name), raw)
		}
	}
}
