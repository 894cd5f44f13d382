import Crypto
import Testing
import TocsinCore
import TocsinS3

/// The examples of "Authenticating Requests: Using the Authorization Header", Amazon S3 API Reference.
@Suite struct SignatureTests {
    let signer = S3Signature(
        credentials: S3Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region: "us-east-1")
    let time = Timestamp(nanoseconds: 1_369_353_600_000_000_000)

    func sign(
        _ method: String, _ path: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [], body: String = ""
    ) -> S3Signature.Steps {
        signer.sign(
            method: method, path: path, query: query,
            headers: [(name: "Host", value: "examplebucket.s3.amazonaws.com")] + headers,
            bodyHash: Array(SHA256.hash(data: Array(body.utf8))), at: time)
    }

    @Test func readingARange() {
        let steps = sign("GET", "/test.txt", headers: [(name: "Range", value: "bytes=0-9")])
        #expect(steps.signature == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
        #expect(
            steps.stringToSign.hasSuffix("7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972"))
        #expect(
            steps.headers.last?.value == """
                AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
                SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
                Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41
                """)
    }

    @Test func writing() {
        let steps = sign(
            "PUT", "/test$file.text",
            headers: [
                (name: "Date", value: "Fri, 24 May 2013 00:00:00 GMT"),
                (name: "x-amz-storage-class", value: "REDUCED_REDUNDANCY"),
            ], body: "Welcome to Amazon S3.")
        #expect(steps.signature == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test func aParameterWithoutValue() {
        let steps = sign("GET", "/", query: [("lifecycle", "")])
        #expect(steps.signature == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    }

    @Test func listing() {
        let steps = sign("GET", "/", query: [("prefix", "J"), ("max-keys", "2")])
        #expect(steps.signature == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test(arguments: [
        ("/date=2026-11-21/a b", "/date%3D2026-11-21/a%20b"), ("/a+b%2B", "/a%2Bb%252B"),
        ("/é/日", "/%C3%A9/%E6%97%A5"), ("/A-z_0.9~!*'()", "/A-z_0.9~%21%2A%27%28%29"),
        ("/a:@&$,;?#", "/a%3A%40%26%24%2C%3B%3F%23"),
    ])
    func oddKeys(_ path: String, _ encoded: String) {
        #expect(sign("GET", path).canonicalRequest.split(separator: "\n")[1] == encoded)
    }

    @Test func parametersStandInTheOrderOfTheirEncodedNames() {
        #expect(
            S3Signature.canonicalQuery([("b", "1"), ("a", "x y/+"), ("B", ""), ("a", "=")])
                == "B=&a=%3D&a=x%20y%2F%2B&b=1")
    }

    @Test func temporaryKeysAreSigned() {
        var signer = signer
        signer.credentials.sessionToken = "token"
        let steps = signer.sign(
            method: "GET", path: "/", headers: [(name: "Host", value: "h")], bodyHash: [1], at: time)
        #expect(steps.canonicalRequest.contains("\nx-amz-security-token:token\n"))
        #expect(steps.headers.contains { $0.name == "X-Amz-Security-Token" && $0.value == "token" })
    }

    @Test func aDescriptionShowsNoSecret() {
        let keys = S3Credentials(accessKey: "AK", secretKey: "hidden", sessionToken: "hidden")
        var dumped = ""
        dump(keys, to: &dumped)
        #expect(!"\(keys) \(String(reflecting: keys)) \(dumped)".contains("hidden"))
    }
}
