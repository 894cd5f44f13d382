internal import NIOCore
internal import NIOHTTP1

/// One request as its meaning: signing, address and retries are the client's.
struct S3Request: Sendable {
    /// For messages: "write", "read".
    enum Purpose: String, Sendable {
        case write, read, list, delete

        /// Which right is needed.
        var rights: String {
            switch self {
            case .write: "s3:PutObject and s3:AbortMultipartUpload"
            case .read: "s3:GetObject"
            case .list: "s3:ListBucket and s3:ListBucketMultipartUploads"
            case .delete: "s3:DeleteObject"
            }
        }
    }

    var purpose: Purpose
    var method: HTTPMethod
    /// Nil: the bucket itself.
    var key: String?
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body = ByteBuffer()
    /// SHA-256 of the body.
    var bodyHash = S3Request.emptyHash
    /// An orderly end must not take minutes.
    var attempts: Int?

    /// SHA-256 of nothing (FIPS 180-4).
    static let emptyHash: [UInt8] = [
        0xE3, 0xB0, 0xC4, 0x42, 0x98, 0xFC, 0x1C, 0x14, 0x9A, 0xFB, 0xF4, 0xC8, 0x99, 0x6F, 0xB9, 0x24,
        0x27, 0xAE, 0x41, 0xE4, 0x64, 0x9B, 0x93, 0x4C, 0xA4, 0x95, 0x99, 0x1B, 0x78, 0x52, 0xB8, 0x55,
    ]
}

struct S3Reply: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]

    /// The root of a 200; a failure that came after the headers is thrown.
    func element() throws -> XMLElement {
        let element = try XMLElement(parsing: body)
        if element.name == "Error" || element.name == "ErrorResponse" { throw S3ErrorReply(self, element: element) }
        return element
    }
}

/// The body in pieces: a stalled connection is told from a slow one by the pieces that go.
struct BodyPieces: AsyncSequence, Sendable {
    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ByteBuffer

        mutating func next() async -> ByteBuffer? {
            rest.readableBytes == 0 ? nil : rest.readSlice(length: Swift.min(512 << 10, rest.readableBytes))
        }
    }

    var body: ByteBuffer

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: body) }
}
