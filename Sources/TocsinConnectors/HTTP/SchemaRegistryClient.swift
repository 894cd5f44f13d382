internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization
internal import TocsinCore
public import TocsinDecode

/// Schemas by id from a registry that speaks Confluent's interface: `GET /schemas/ids/{id}`.
///
/// What an id means never changes, so that each is asked for once; that there is no such id is asked again after a minute.
public final class SchemaRegistryClient: SchemaFetching {
    private let base: String
    private let authorization: String?
    private let client: HTTPClient
    private let missing = Mutex<[UInt32: ContinuousClock.Instant]>([:])
    private static let timeout = TimeAmount.seconds(10)
    private static let longestAnswer = 4 << 20
    private static let memory = Duration.seconds(60)
    private static let deepest = 16

    /// - Parameters:
    ///   - url: `http://registry:8081`, with a path where a proxy puts one before it. `user:password@` before the host is
    ///     the login where no other is given; it is shown nowhere.
    public convenience init(_ url: String, user: String? = nil, password: String? = nil) {
        self.init(url, user: user, password: password, client: OutgoingHTTP.client)
    }

    init(_ url: String, user: String?, password: String?, client: HTTPClient) {
        let (address, login) = Self.split(url)
        base = address.hasSuffix("/") ? String(address.dropLast()) : address
        let given = user.map { "\($0):\(password ?? "")" } ?? login
        authorization = given.map { "Basic " + Data($0.utf8).base64EncodedString() }
        self.client = client
    }

    /// The address without its user information, which is the login (RFC 3986, section 3.2.1).
    private static func split(_ url: String) -> (address: String, login: String?) {
        guard let scheme = url.firstRange(of: "://") else { return (url, nil) }
        let end = url[scheme.upperBound...].firstIndex { "/?#".contains($0) } ?? url.endIndex
        guard let at = url[scheme.upperBound..<end].lastIndex(of: "@") else { return (url, nil) }
        let login = String(url[scheme.upperBound..<at])
        let address = url[..<scheme.upperBound] + url[url.index(after: at)...]
        return (String(address), (login.removingPercentEncoding ?? login))
    }

    public func schema(id: UInt32) async throws -> RegisteredSchema? {
        if let since = missing.withLock({ $0[id] }), ContinuousClock.now - since < Self.memory { return nil }
        guard let answer = try await get("/schemas/ids/\(id)") else {
            missing.withLock { $0[id] = .now }
            return nil
        }
        guard let kind = RegisteredSchema.Kind(rawValue: answer.schemaType ?? "AVRO") else {
            throw problem("schema \(id) is of the unknown type \(answer.schemaType ?? "")", isRetriable: false)
        }
        let references = try await texts(of: answer.references ?? [], depth: 0)
        return RegisteredSchema(kind: kind, text: answer.schema, references: references)
    }

    private struct Answer: Decodable {
        struct Reference: Decodable {
            var name: String
            var subject: String
            var version: Int
        }

        var schema: String
        var schemaType: String?
        var references: [Reference]?
    }

    /// With what they refer to themselves before them.
    private func texts(of references: [Answer.Reference], depth: Int) async throws -> [RegisteredSchema.Reference] {
        guard depth < Self.deepest else {
            throw problem("schemas refer to each other more than \(Self.deepest) deep", isRetriable: false)
        }
        var texts: [RegisteredSchema.Reference] = []
        for reference in references {
            let subject = reference.subject.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            guard let answer = try await get("/subjects/\(subject)/versions/\(reference.version)") else {
                throw problem("it has no version \(reference.version) of \(reference.subject)", isRetriable: false)
            }
            texts += try await self.texts(of: answer.references ?? [], depth: depth + 1)
            texts.append(.init(name: reference.name, text: answer.schema))
        }
        return texts
    }

    /// nil for 404.
    private func get(_ path: String) async throws -> Answer? {
        var request = HTTPClientRequest(url: base + path)
        request.headers.add(name: "Accept", value: "application/vnd.schemaregistry.v1+json, application/json")
        if let authorization { request.headers.add(name: "Authorization", value: authorization) }
        let status: UInt
        let bytes: [UInt8]
        do {
            let response = try await client.execute(request, timeout: Self.timeout)
            status = response.status.code
            bytes = Array(try await response.body.collect(upTo: Self.longestAnswer).readableBytesView)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw problem("it does not answer", isRetriable: true, cause: error)
        }
        switch status {
        case 200: break
        case 404: return nil
        case 401, 403:
            throw problem(
                "it refuses the login (\(status)); check kafka.schemaRegistry.user and password", isRetriable: true)
        default: throw problem("it answers with status \(status)", isRetriable: status >= 500 || status == 429)
        }
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(bytes))
        } catch {
            throw problem("its answer is none of a schema registry", isRetriable: true, cause: error)
        }
    }

    private func problem(_ message: String, isRetriable: Bool, cause: (any Error)? = nil) -> TocsinError {
        TocsinError(
            .network, "the schema registry cannot be used: \(message)", place: base,
            remedy: "check kafka.schemaRegistry.url", isRetriable: isRetriable, cause: cause)
    }
}
