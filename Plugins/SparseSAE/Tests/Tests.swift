// SparseSAE
