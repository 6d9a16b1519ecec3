// CSAE
