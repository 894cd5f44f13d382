internal import Foundation
internal import Hummingbird
internal import NIOCore

/// A small JSON body, such as those that say what a person thinks of an alarm or does with it.
enum RequestBody {
    private static let maxBytes = 64 << 10

    /// - Parameter example: shown where the body is not understood.
    /// - Throws: 413 for a body beyond 64 KiB, 400 for one that is not of the form.
    static func decode<Body: Decodable>(_ type: Body.Type, of request: Request, example: String) async throws -> Body {
        var bytes = Data()
        for try await part in request.body {
            guard bytes.count + part.readableBytes <= maxBytes else {
                throw Problem(.contentTooLarge, "the body is larger than \(maxBytes) bytes")
            }
            bytes.append(contentsOf: part.readableBytesView)
        }
        do {
            return try JSONDecoder().decode(Body.self, from: bytes)
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(.badRequest, "the body is not understood; send \(example)")
        }
    }
}
