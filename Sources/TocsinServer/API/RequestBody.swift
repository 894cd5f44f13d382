internal import Foundation
internal import Hummingbird
internal import NIOCore
internal import TocsinCore

/// A small JSON body, such as those that say what a person thinks of an alarm or does with it.
enum RequestBody {
    private static let maxBytes = 64 << 10

    /// Takes any value.
    private struct Anything: Decodable { init(from decoder: any Decoder) {} }

    /// - Parameters:
    ///   - fields: all that the body may have: one that is misspelt would be lost without a word.
    ///   - example: shown where the body is not understood.
    /// - Throws: 413 for a body beyond 64 KiB, 400 for one that is not of the form.
    static func decode<Body: Decodable>(
        _ type: Body.Type, of request: Request, fields: Set<String>, example: String
    ) async throws -> Body {
        var bytes = Data()
        for try await part in request.body {
            guard bytes.count + part.readableBytes <= maxBytes else {
                throw Problem(.contentTooLarge, "the body is larger than \(maxBytes) bytes")
            }
            bytes.append(contentsOf: part.readableBytesView)
        }
        do {
            let given = try JSONDecoder().decode([String: Anything].self, from: bytes)
            if let unknown = given.keys.filter({ !fields.contains($0) }).min() {
                throw Problem(
                    .badRequest,
                    "there is no field '\(unknown.prefix(50).description.printable)'; known are "
                        + fields.sorted().joined(separator: ", "))
            }
            return try JSONDecoder().decode(Body.self, from: bytes)
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(.badRequest, "the body is not understood; send \(example)")
        }
    }
}

extension Request {
    /// How long the body is, as its head says; nil where it does not.
    var declaredBytes: Int? { headers[.contentLength].flatMap { Int($0) } }
}
