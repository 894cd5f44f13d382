internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import TocsinCore

/// What a request was answered with: kept under its `Idempotency-Key`, so that the same request gets the same again.
struct IngestAnswer: Sendable, Equatable {
    var status: Int
    /// Empty without a body.
    var contentType: String
    var body: [UInt8]

    init(status: Int, contentType: String = "", body: [UInt8] = []) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    var response: Response {
        var headers = HTTPFields()
        if !contentType.isEmpty { headers[.contentType] = contentType }
        return Response(
            status: .init(code: status), headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body)))
    }

    func save(to writer: inout StateWriter) {
        writer.write(UInt16(clamping: status))
        writer.write(text: contentType)
        writer.write(blob: body)
    }

    /// nil for nonsense.
    init?(restoring reader: inout StateReader) {
        guard let status = reader.read(UInt16.self), (100...999).contains(status),
            let contentType = reader.readText(), let body = reader.readBlob()
        else { return nil }
        self.init(status: Int(status), contentType: contentType, body: Array(body))
    }
}
