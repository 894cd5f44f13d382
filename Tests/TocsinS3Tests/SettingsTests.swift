import Foundation
import Testing
import TocsinCore
import TocsinS3

@Suite struct SettingsTests {
    @Test func aLocationNamesBucketAndPrefix() throws {
        let settings = try S3Settings(location: "s3://plant/lake/a/")
        #expect(settings.bucket == "plant")
        #expect(try S3Storage(settings).location == "s3://plant/lake/a")
        #expect(try S3Storage(S3Settings(location: "s3://plant")).location == "s3://plant")
    }

    @Test(arguments: ["plant", "s3://", "s3:///a", "s3://a/b", "s3://pl ant/x", "http://plant/lake"])
    func otherLocationsAreRefused(_ text: String) {
        #expect(throws: TocsinError.self) { try S3Settings(location: text) }
    }

    @Test(arguments: [
        "127.0.0.1:9000", "ftp://host", "http://", "http://host/path", "https://user:word@host", "http://h ost",
    ])
    func badEndpointsAreRefused(_ endpoint: String) {
        #expect(throws: TocsinError.self) { try S3Storage(S3Settings(bucket: "plant", endpoint: endpoint)) }
    }

    @Test func partsKeepTheRulesOfS3() {
        #expect(throws: TocsinError.self) { try S3Storage(S3Settings(bucket: "plant", partBytes: 1 << 20)) }
        #expect(throws: TocsinError.self) { try S3Storage(S3Settings(bucket: "plant", parallelParts: 0)) }
    }

    @Test func theEnvironmentIsTaken() {
        var settings = S3Settings(bucket: "plant")
        settings.take(environment: [
            "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c", "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": "http://one", "AWS_PROFILE": "p", "AWS_CA_BUNDLE": "",
        ])
        #expect(settings.credentials == S3Credentials(accessKey: "a", secretKey: "b", sessionToken: "c"))
        #expect(settings.region == "eu-west-1")
        #expect(settings.endpoint == "http://one")
        #expect(settings.profile == "p")
        #expect(settings.certificateFile == nil)
        settings.take(environment: ["AWS_ENDPOINT_URL_S3": "http://two", "AWS_ACCESS_KEY_ID": "alone"])
        #expect(settings.endpoint == "http://two")
        #expect(settings.credentials?.accessKey == "a")
    }

    @Test func aMissingCertificateFileIsNamed() {
        let error = #expect(throws: TocsinError.self) {
            try S3Storage(S3Settings(bucket: "plant", certificateFile: "/nowhere/ca.pem"))
        }
        #expect(error?.place == "/nowhere/ca.pem")
    }

    @Test func aCredentialsFileHasSections() {
        let text = """
            # keys
            [default]
            aws_access_key_id = one
            aws_secret_access_key=s+/=
            [profile plant]\r
              AWS_ACCESS_KEY_ID =\ttwo\r
            aws_secret_access_key = t
            aws_session_token = u
            [half]
            aws_access_key_id = three
            """
        #expect(
            CredentialsFile.credentials(of: "default", in: text) == S3Credentials(accessKey: "one", secretKey: "s+/="))
        #expect(
            CredentialsFile.credentials(of: "plant", in: text)
                == S3Credentials(accessKey: "two", secretKey: "t", sessionToken: "u"))
        #expect(CredentialsFile.credentials(of: "half", in: text) == nil)
        #expect(CredentialsFile.credentials(of: "none", in: text) == nil)
    }

    @Test func aCredentialsFileIsReadAgainWhenItChanges() throws {
        let folder = try TestFolder()
        func write(_ key: String) throws -> String {
            try folder.file(Array("[default]\naws_access_key_id=\(key)\naws_secret_access_key=s\n".utf8))
        }
        let path = try write("one")
        let storage = try S3Storage(S3Settings(bucket: "plant", credentialsFile: path))
        #expect(try storage.credentials().accessKey == "one")
        _ = try write("second")
        #expect(try storage.credentials().accessKey == "second")
        _ = try folder.file([])
        #expect(try storage.credentials().accessKey == "second")
        try FileManager.default.removeItem(atPath: path)
        #expect(try storage.credentials().accessKey == "second")
        #expect(throws: TocsinError.self) {
            try S3Storage(S3Settings(bucket: "plant", credentialsFile: path)).credentials()
        }
    }
}
