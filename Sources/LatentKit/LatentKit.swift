// LatentKit
