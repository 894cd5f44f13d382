internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import TocsinCore

/// An error answer in the form of RFC 9457 (`application/problem+json`).
struct Problem: HTTPResponseError {
    var status: HTTPResponse.Status
    /// What was wrong with this request and what to do, a sentence.
    var detail: String
    /// The parameter or field at fault.
    var parameter: String?
    /// Seconds after which trying again makes sense.
    var retryAfter: Int?
    /// With 405: what the address takes.
    var allowed: [HTTPRequest.Method] = []

    init(_ status: HTTPResponse.Status, _ detail: String, parameter: String? = nil, retryAfter: Int? = nil) {
        self.status = status
        self.detail = detail
        self.parameter = parameter
        self.retryAfter = retryAfter
    }

    /// What any error is answered with.
    init(_ error: any Error, to request: Request) {
        switch error {
        case let problem as Problem: self = problem
        case let error as HTTPError where error.status == .notFound:
            self.init(.notFound, "there is nothing at \(request.method) \(request.uri.path)")
        case let error as any HTTPResponseError: self.init(error.status, "\(error)")
        case let error as TocsinError:
            self.init(
                error.isRetriable ? .serviceUnavailable : .internalServerError, error.message,
                retryAfter: error.isRetriable ? 1 : nil)
        case is CancellationError:
            self.init(.serviceUnavailable, "the server is shutting down", retryAfter: 5)
        default: self.init(.internalServerError, "an unexpected error; the log has the details")
        }
    }

    /// Whether the operator should hear of it.
    static func isWorthLogging(_ error: any Error) -> Bool {
        !(error is any HTTPResponseError) && !(error is CancellationError)
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        let response = Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: document(request.uri.path))))
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// Those that belong to the status, and the document's type.
    var headers: HTTPFields {
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if let retryAfter, let name = HTTPField.Name("Retry-After") { headers[name] = String(retryAfter) }
        if !allowed.isEmpty { headers[.allow] = allowed.map(\.rawValue).joined(separator: ", ") }
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
        return headers
    }

    func document(_ path: String) -> [UInt8] {
        var json = JSONWriter()
        json.object {
            // "about:blank": the status says it all, `detail` says it in words (RFC 9457, 4.2.1).
            $0.field("type", "about:blank")
            $0.field("title", status.reasonPhrase)
            $0.field("status", status.code)
            $0.field("detail", detail)
            $0.field("instance", path)
            if let parameter { $0.field("parameter", parameter) }
        }
        return json.bytes
    }
}

extension Router {
    /// Answers 405 to whatever an address does not take.
    /// - Parameter answer: in the address's own form; nil = a problem document.
    func refuse(
        allBut allowed: [HTTPRequest.Method], at path: RouterPath,
        _ answer: (@Sendable (Problem, Request) -> Response)? = nil
    ) {
        let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        for method in methods where !allowed.contains(method) {
            on(path, method: method) { request, context in
                let words = allowed.map(\.rawValue).joined(separator: " or ")
                var problem = Problem(
                    .methodNotAllowed, "\(request.uri.path) takes \(words), not \(request.method.rawValue)")
                problem.allowed = allowed
                guard let answer else { return try problem.response(from: request, context: context) }
                let response = answer(problem, request)
                return request.method == .head ? response.createHeadResponse() : response
            }
        }
    }
}

/// Turns every error into a problem document, so that no client ever has to parse two forms.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            if Problem.isWorthLogging(error) {
                context.logger.error("request failed", metadata: ["error": "\(error)", "path": "\(request.uri.path)"])
            }
            return try Problem(error, to: request).response(from: request, context: context)
        }
    }
}
